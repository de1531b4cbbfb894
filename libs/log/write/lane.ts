import type pg from 'pg';
import type { Submission } from '#api';
import { type DatabaseOptions, isAnswered, isDataError, Link, rollback, send } from '#postgres';
import { rest } from '#waiting';
import { isDefect, LogError, OwnFault, ownStep, unavailable } from '../errors.js';
import type { FeedEvent } from '../feed.port.js';
import { Batch } from './batch.js';
import { IdleHandlesHeld, load, loadDetails } from './load.js';
import { type LockedHeads, takeHeads } from './locked-heads.js';
import { inTime, Queue, type Waiting } from './queue.js';
import { type RowTypes, readRowTypes } from './row-types.js';
import { save, type Written, wasCommitted, written } from './save.js';

export interface LaneOptions {
  database: DatabaseOptions;
  /** CloudEvents source of this ledger's events. */
  source: string;
  /** Most commands in one transaction. */
  maxBatch: number;
  /** Most commands that may wait; the next one is answered `overloaded`. */
  maxQueue: number;
  /** The same of one tenant; undefined: there is no such bound. */
  maxOfTenant?: number | undefined;
  /** How long to find out whether a commit happened whose answer was lost, in milliseconds. */
  settleMs: number;
  /** Hears every committed event, in its partition's order. */
  onCommitted(events: readonly FeedEvent[]): void;
  /** Hears of every batch that was committed, and how long that took. */
  onBatch(batch: readonly Submission[], milliseconds: number): void;
  /** Hears why Postgres could not be used; the commands' senders are told in words of their own. */
  onFault(error: unknown): void;
}

/** A batch that was decided, and how to tell each of its senders once it is committed. */
interface Decided extends Written {
  answers: (() => void)[];
}

/** A connection of a lane. */
interface Connection {
  client: pg.Client;
  types: RowTypes;
}

/** Tells the senders of a batch what became of their commands. */
type Tell = () => void;

const tellNobody: Tell = () => {};

/** How a batch comes to the locks of its partitions' heads: without waiting, waiting for them in line, or it has them. */
type Heads = 'try' | 'wait' | LockedHeads;

/** A batch takes milliseconds. One that takes so long waits for something that Postgres waits for. */
export const LONG_MS = 3_000;
/** So long it is believed that the next one would wait, too. */
export const BELIEVED_MS = 10_000;

/** Between two looks whether a lost commit happened. */
const RETRY_MS = 100;

/** Between two tries for heads that somebody else holds for long. */
export const TRY_MS = 25;
/** The longest that a transaction may lie idle while it holds heads: its process is paused, or gone. */
const IDLE_MS = 1_000;

/** What a lane did. */
export interface Committed {
  /** Tells the senders, so that the next batch can be on its way before. */
  tell: Tell;
  /** Nothing was done for these, since somebody else holds the head of one of them. In the order of their arrival. */
  givenBack: readonly Waiting[];
  /** Somebody else held a head that it waited for. */
  waited: boolean;
}

/** Of whom a lane takes commands: the queue of a partition is the one at its number, modulo their count. */
type Queues = readonly Queue[];

/**
 * A connection that commits one batch at a time.
 *
 * A batch takes its commands, then locks their heads and reads what they need in one round trip. It does not wait there:
 * when somebody else holds one of the heads, the commands go back. The next batches lock first and take their commands
 * then, so that they form while another replica works. Heads that are held for longer than that takes stand aside
 * with their commands; they are tried for again and again, and nobody waits for them.
 */
export class Lane {
  private readonly link: Link<Connection>;
  /** Time in batches that are over, and when the one at hand began, by performance.now(). */
  private worked = 0;
  private since: number | undefined;
  /** When the last batch was over, if it took long. */
  private longUntil = Number.NEGATIVE_INFINITY;
  /** Postgres warned that the commit at hand was not awaited by its standby. */
  private unreplicated = false;
  /** What the batch at hand could not lock the heads of, in the order of arrival. */
  private givenBack: Waiting[] = [];

  constructor(private readonly options: LaneOptions) {
    const { statementMs = IDLE_MS } = options.database;
    const database = { ...options.database, idleMs: Math.min(statementMs, IDLE_MS) };
    this.link = new Link(database, (client) => this.takeOn(client));
  }

  /** Milliseconds that it has worked on batches until now. */
  get workedMs(): number {
    return this.worked + (this.since === undefined ? 0 : performance.now() - this.since);
  }

  /** Whether commands wait for Postgres for long: those of the batch at hand, or of the last one a moment ago. */
  get heldUp(): boolean {
    const now = performance.now();
    return now - (this.since ?? now) > LONG_MS || now - this.longUntil < BELIEVED_MS;
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.link.close();
  }

  /**
   * Commits the next commands, at most a batch of each queue: takes them, or `first` locks the heads. Sends what there
   * is to send before it returns. Never throws: every failure is somebody's answer.
   */
  async commit(queues: Queues, first: boolean): Promise<Committed> {
    const started = performance.now();
    this.since = started;
    this.givenBack = [];
    const { tell, waited } = await (first ? this.lockAndTake(queues) : this.takeAndTry(queues));
    this.since = undefined;
    const ended = performance.now();
    const took = ended - started;
    this.worked += took;
    this.longUntil = took > LONG_MS ? ended : Number.NEGATIVE_INFINITY;
    return { tell, waited, givenBack: this.givenBack };
  }

  private async takeAndTry(queues: Queues): Promise<Pick<Committed, 'tell' | 'waited'>> {
    const batch = this.take(queues);
    return { tell: batch.length === 0 ? tellNobody : await this.attempt(batch, 'try'), waited: false };
  }

  private take(queues: Queues, partitions?: ReadonlySet<number>): Waiting[] {
    const taken = queues.flatMap((queue) => queue.take(this.options.maxBatch, partitions));
    return inTime(taken, performance.now());
  }

  /** Locks the heads of what waits, and takes what is there once it has them. */
  private async lockAndTake(queues: Queues): Promise<Pick<Committed, 'tell' | 'waited'>> {
    const wanted = queues.map((queue) => queue.wanted(performance.now()));
    const wait = wanted.flatMap((each) => each.wait);
    const attempt = wanted.flatMap((each) => each.attempt);
    let heads: LockedHeads | undefined;
    try {
      const { client } = this.link.opened ?? (await this.link.open());
      heads = await takeHeads(client, { wait, attempt });
    } catch (error) {
      this.options.onFault(error);
      await this.link.close();
      return { tell: refusal(this.take(queues), unavailable(error)), waited: false };
    }
    if (!heads) {
      // One of them is held for long: which, the next try tells.
      const now = performance.now();
      for (const [index, queue] of queues.entries()) queue.setAside(wanted[index]!.wait, now);
      return { tell: tellNobody, waited: true };
    }
    const taken = this.takeUnder(heads, { wait, attempt }, queues);
    if (taken.length === 0) await this.giveUp();
    const tell = taken.length === 0 ? tellNobody : await this.attempt(taken, heads);
    return { tell, waited: heads.waited };
  }

  /** The commands of the heads that were got. Those of all others that were only tried for stand aside. */
  private takeUnder(
    { rows }: LockedHeads,
    { wait, attempt }: { wait: readonly number[]; attempt: readonly number[] },
    queues: Queues,
  ): Waiting[] {
    const now = performance.now();
    // Who waited for one and does not have it: there is no such partition, and its commands are told so.
    const got = new Set([...rows.map(({ partition }) => partition), ...wait]);
    for (const partition of attempt) {
      const queue = queues[partition % queues.length]!;
      if (got.has(partition)) queue.restore(partition);
      else queue.lose(partition, now, now + TRY_MS);
    }
    return this.take(queues, got);
  }

  /** Ends a transaction that locked heads for nothing. */
  private async giveUp(): Promise<void> {
    try {
      const { client } = await this.link.open();
      await send(client, [rollback]);
    } catch (error) {
      this.options.onFault(error);
      await this.link.close();
    }
  }

  private async attempt(batch: Waiting[], heads: Heads): Promise<Tell> {
    // Nothing overtakes what was given back before it.
    if (this.givenBack.length > 0) return this.giveBack(batch);
    const began = performance.now();
    let decided: Decided | undefined;
    try {
      const connection = this.link.opened ?? (await this.link.open());
      decided = await this.prepare(batch, connection, heads);
      if (!decided) return this.giveBack(batch);
      this.unreplicated = false;
      await save(connection.client, decided);
      this.options.onBatch(batch, performance.now() - began);
      return this.unreplicated ? refusal(batch, unknownOutcome()) : this.answers(decided);
    } catch (error) {
      if (error instanceof IdleHandlesHeld) return this.withoutHandles(batch, error);
      this.options.onFault(error);
      await this.link.close();
      if (decided && !isAnswered(error)) return this.settle(batch, decided, error);
      if (isDataError(error) || error instanceof OwnFault) return this.split(batch, error);
      if (isDefect(error)) return refusal(batch, defect(error));
      return refusal(batch, unavailable(error));
    }
  }

  private giveBack(batch: readonly Waiting[]): Tell {
    this.givenBack.push(...batch);
    return tellNobody;
  }

  /** Commands that need a head beyond their own partition's, which cannot be had, do not keep the others waiting. */
  private withoutHandles(batch: readonly Waiting[], { commands }: IdleHandlesHeld): Tell {
    this.giveBack(batch.filter((one) => !commands.includes(one)));
    const error = new LogError('timeout', 'The partition that a handle is taken from is locked.');
    return refusal(
      batch.filter((one) => commands.includes(one)),
      error,
    );
  }

  /** Reads all that a batch and its answers need, and decides it; undefined when somebody else holds a head of it. */
  private async prepare(
    waiting: Waiting[],
    { client, types }: Connection,
    heads: Heads,
  ): Promise<Decided | undefined> {
    let locked = typeof heads === 'string' ? undefined : heads;
    if (heads === 'wait') {
      const wait = [...new Set(waiting.map(({ partition }) => partition))];
      locked = await takeHeads(client, { wait, attempt: [] });
      if (!locked) return undefined;
    }
    const loaded = await load(client, waiting, locked);
    if (!loaded) return undefined;
    const batch = new Batch(loaded, this.options.source);
    const answers = this.decide(waiting, batch);
    if (batch.unread.size > 0) await loadDetails(client, batch);
    return { answers, ...ownStep(() => written(batch, types)) };
  }

  /** Decides in memory. A command on which the decider breaks gets its own answer; the others go on. */
  private decide(waiting: Waiting[], batch: Batch): Decided['answers'] {
    return waiting.map((submission) => {
      try {
        const answer = batch.add(submission);
        return () => submission.resolve(answer);
      } catch (cause) {
        this.options.onFault(cause);
        const error = new LogError('rejected', 'The command could not be decided.', { cause });
        return () => submission.reject(error);
      }
    });
  }

  /** Postgres refuses some command's data, or our own code breaks on it: halves, until it stands alone. */
  private async split(batch: Waiting[], cause: unknown): Promise<Tell> {
    if (batch.length === 1) {
      if (cause instanceof OwnFault) return refusal(batch, defect(cause));
      return refusal(batch, new LogError('rejected', 'Postgres refuses this command.', { cause }));
    }
    const middle = Math.ceil(batch.length / 2);
    const tell = await this.attempt(batch.slice(0, middle), 'wait');
    tell();
    return this.attempt(batch.slice(middle), 'wait');
  }

  /**
   * The answer to COMMIT was lost. Looks whether the batch's first event stands in the log: then all of it
   * does. If not, it never will, because the lock shows that its transaction is over: it is decided again, unless
   * our own code had kept it from being sent.
   */
  private async settle(batch: Waiting[], decided: Decided, cause: unknown): Promise<Tell> {
    const until = performance.now() + this.options.settleMs;
    while (performance.now() < until) {
      try {
        this.unreplicated = false;
        const { client } = await this.link.open();
        const committed = await wasCommitted(client, decided);
        if (this.unreplicated) return refusal(batch, unknownOutcome());
        if (committed) return this.answers(decided);
        return isDefect(cause)
          ? refusal(batch, defect(cause))
          : await this.attempt(inTime(batch, performance.now()), 'wait');
      } catch (error) {
        this.options.onFault(error);
        await this.link.close();
        await rest(RETRY_MS);
      }
    }
    return refusal(batch, unknownOutcome());
  }

  private answers({ events, answers }: Decided): Tell {
    return () => {
      try {
        this.options.onCommitted(events);
      } catch (error) {
        this.options.onFault(error); // a listener's fault, not the senders'
      }
      for (const answer of answers) answer();
    };
  }

  private async takeOn(client: pg.Client): Promise<Connection> {
    client.on('notice', ({ message }) => {
      // "canceling the wait for synchronous replication": committed here, perhaps nowhere else.
      if (message?.includes('synchronous replication')) this.unreplicated = true;
    });
    return { client, types: await readRowTypes(client) };
  }
}

function refusal(batch: Waiting[], error: LogError): Tell {
  return () => {
    for (const submission of batch) submission.reject(error);
  };
}

function defect(cause: unknown): LogError {
  return new LogError('rejected', 'The ledger itself is at fault.', { cause });
}

function unknownOutcome(): LogError {
  return new LogError('unknown-outcome', 'It is not yet known whether the command was applied.');
}
