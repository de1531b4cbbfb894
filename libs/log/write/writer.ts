import type { Answer, Submission } from '#api';
import { LogError } from '../errors.js';
import { Lane, type LaneOptions, type Waiting } from './lane.js';

export interface WriterOptions extends LaneOptions {
  /** Lanes of this replica; each has its own partitions and one connection. */
  lanes: number;
  /** How long a command may wait for its turn, in milliseconds. */
  deadlineMs: number;
}

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
  /** The lanes whose commands are being committed. */
  private readonly busy = new Set<Lane>();
  private readonly splitFrom: number;
  private scheduled = false;
  private closing = false;
  private idle: (() => void) | undefined;

  constructor(private readonly options: WriterOptions) {
    this.lanes = Array.from({ length: options.lanes }, () => new Lane(options));
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
      this.lanes[submission.partition % this.lanes.length]!.push(waiting);
      this.schedule();
    });
  }

  /** Commands that wait for their batch. */
  get waiting(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  /** Whether commands wait for Postgres for seconds, as they do while a synchronous standby is missing. */
  get heldUp(): boolean {
    return this.lanes.some((lane) => lane.heldUp);
  }

  /** Milliseconds that its lanes have worked on commands until now, added up. */
  get workedMs(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.workedMs, 0);
  }

  /** Refuses new commands, and resolves when all others are answered. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.busy.size > 0 || this.waiting > 0) await new Promise<void>((resolve) => (this.idle = resolve));
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
    const { waiting } = this;
    if (waiting >= this.splitFrom) {
      for (const lane of this.lanes) if (lane.waiting > 0 && !this.busy.has(lane)) this.commit([lane]);
    } else if (this.busy.size === 0 && waiting > 0) this.commit(this.lanes);
  }

  /**
   * The first lane commits for all of them. While few wait, Postgres works on the next batch as this one's senders
   * are told. Of many, those who are told may come again at once, and make the next batch larger.
   */
  private async commit(lanes: readonly Lane[]): Promise<void> {
    for (const lane of lanes) this.busy.add(lane);
    const tell = await lanes[0]!.commit(lanes.flatMap((lane) => lane.take()));
    for (const lane of lanes) this.busy.delete(lane);
    if (this.waiting < this.splitFrom) this.next();
    tell();
    if (this.busy.size === 0 && this.waiting === 0) this.idle?.();
    else this.schedule();
  }
}
