import type { Answer, Submission } from '#api';
import { LogError } from '../errors.js';
import { BELIEVED_MS, Lane, type LaneOptions, LONG_MS, TRY_MS } from './lane.js';
import { Queue, type Waiting } from './queue.js';

export interface WriterOptions extends LaneOptions {
  /** Lanes of this replica; each has its own partitions and one connection. */
  lanes: number;
  /** How long a command may wait for its turn, in milliseconds. */
  deadlineMs: number;
}

/** The same while somebody else holds heads: a batch forms while another replica works, and one of many goes on. */
const SPLIT_WHILE_SHARED = 128;

/** So long after somebody else held a head, batches lock their heads before they take their commands. */
const SHARED_MS = 500;

/** How often those are answered whose time is over. */
const EXPIRE_MS = 100;

/** From so many waiting commands on, each lane commits its own; fewer share one batch. */
const SPLIT_FROM = 32;

/**
 * Takes commands from everywhere and commits them in batches. A batch is what arrived while the last one was
 * committing; a lone command waits for nothing. A batch costs Postgres about the same whatever its size, so few
 * commands go together, whatever their partition; many are worth a transaction for each lane at once.
 *
 * A partition is in one batch at a time, and its commands are decided in the order of their arrival.
 */
export class LedgerWriter {
  private readonly lanes: Lane[];
  /** What waits for each lane: the commands of its partitions. */
  private readonly queues: Queue[];
  /** The lanes whose commands are being committed. */
  private readonly busy = new Set<Lane>();
  private readonly splitFrom: number;
  private scheduled = false;
  /** Since when heads are held for long, when a batch was committed last, and when a command's time was over in line. */
  private heldSince = Number.POSITIVE_INFINITY;
  private committedAt = Number.NEGATIVE_INFINITY;
  private expiredAt = Number.NEGATIVE_INFINITY;
  /** Until when heads are locked first, because others want them as well. */
  private sharedUntil = 0;
  private trying: NodeJS.Timeout | undefined;
  private readonly expiring: NodeJS.Timeout;
  private closing = false;
  private idle: (() => void) | undefined;

  constructor(private readonly options: WriterOptions) {
    const onBatch: LaneOptions['onBatch'] = (batch, milliseconds) => {
      this.committedAt = performance.now();
      options.onBatch(batch, milliseconds);
    };
    this.lanes = Array.from({ length: options.lanes }, () => new Lane({ ...options, onBatch }));
    this.queues = this.lanes.map(() => new Queue(options.maxQueue, options.maxOfTenant));
    this.expiring = setInterval(() => this.expire(), EXPIRE_MS).unref();
    this.splitFrom = Math.min(SPLIT_FROM, options.maxBatch);
  }

  /**
   * Resolves once the command's events are durable, or at once known to be none. Rejects with LogError:
   * `overloaded`, `timeout`, `unavailable`, `rejected` and `closing` were not obeyed; `unknown-outcome` may
   * have been.
   */
  submit(submission: Submission): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.closing) return reject(new LogError('closing', 'The service is stopping.'));
      const deadline = performance.now() + this.options.deadlineMs;
      const waiting: Waiting = Object.assign(submission, { deadline, resolve, reject });
      this.queueOf(waiting).push(waiting);
      this.schedule();
    });
  }

  /** Commands that wait for their batch. */
  get waiting(): number {
    return this.queues.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Partitions whose heads somebody else holds for long: their commands stand aside. */
  get heldPartitions(): number {
    return this.queues.reduce((sum, { heldCount }) => sum + heldCount, 0);
  }

  /** Commands of those partitions. */
  get heldCommands(): number {
    return this.queues.reduce((sum, { aside }) => sum + aside, 0);
  }

  /**
   * Whether commands wait for Postgres for seconds, as they do while a synchronous standby is missing. Not while those
   * of other partitions are obeyed.
   */
  get heldUp(): boolean {
    const now = performance.now();
    if (this.lanes.some((lane) => lane.heldUp)) return true;
    if (this.heldPartitions > 0 && now - Math.max(this.heldSince, this.committedAt) > LONG_MS) return true;
    return this.expiredAt > this.committedAt && now - this.expiredAt < BELIEVED_MS;
  }

  /** Milliseconds that its lanes have worked on commands until now, added up. */
  get workedMs(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.workedMs, 0);
  }

  /** Refuses new commands, and resolves when all others are answered. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.busy.size > 0 || this.waiting > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    clearInterval(this.expiring);
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  /** Commands that arrive in the same turn of the event loop share a batch. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.next();
    });
  }

  private next(): void {
    const now = performance.now();
    const ready = this.queues.reduce((sum, { readyCount }) => sum + readyCount, 0);
    const splitFrom = now < this.sharedUntil ? SPLIT_WHILE_SHARED : this.splitFrom;
    if (ready >= Math.min(splitFrom, this.options.maxBatch)) {
      for (const [index, lane] of this.lanes.entries()) {
        if (!this.busy.has(lane) && this.queues[index]!.isReady(now)) this.commit([index]);
      }
    } else if (this.busy.size === 0 && this.queues.some((queue) => queue.isReady(now))) {
      this.commit([...this.lanes.keys()]);
    }
  }

  /**
   * The first lane commits for all of them. While few wait, Postgres works on the next batch as this one's senders
   * are told. Of many, those who are told may come again at once, and make the next batch larger.
   */
  private async commit(numbers: readonly number[]): Promise<void> {
    const lanes = numbers.map((number) => this.lanes[number]!);
    const queues = numbers.map((number) => this.queues[number]!);
    for (const lane of lanes) this.busy.add(lane);
    const now = performance.now();
    const first = now < this.sharedUntil || queues.some((queue) => queue.dueToTry(now).length > 0);
    const { tell, givenBack, waited } = await lanes[0]!.commit(queues, first);
    for (const lane of lanes) this.busy.delete(lane);
    if (givenBack.length > 0) this.takeBack(givenBack);
    if (waited || givenBack.length > 0) this.sharedUntil = performance.now() + SHARED_MS;
    this.watchHeld();
    if (this.waiting < this.splitFrom) this.next();
    tell();
    if (this.busy.size === 0 && this.waiting === 0) this.idle?.();
    else this.schedule();
  }

  /** Commands for which nothing was done, since somebody else holds a head. */
  private takeBack(submissions: readonly Waiting[]): void {
    for (const queue of this.queues) {
      queue.giveBack(submissions.filter((submission) => this.queueOf(submission) === queue));
    }
  }

  /** While partitions stand aside: has their heads tried for again. */
  private watchHeld(): void {
    if (this.heldPartitions === 0) {
      this.heldSince = Number.POSITIVE_INFINITY;
      return;
    }
    this.heldSince = Math.min(this.heldSince, performance.now());
    this.trying ??= setTimeout(() => {
      this.trying = undefined;
      this.watchHeld();
      this.schedule();
    }, TRY_MS);
  }

  /** Answers those whose time is over while they wait: nothing was done for them. */
  private expire(): void {
    const now = performance.now();
    const expired = this.queues.reduce((sum, queue) => sum + queue.expire(now), 0);
    if (expired === 0) return;
    this.expiredAt = now;
    if (this.busy.size === 0 && this.waiting === 0) this.idle?.();
  }

  private queueOf({ partition }: Submission): Queue {
    return this.queues[partition % this.queues.length]!;
  }
}
