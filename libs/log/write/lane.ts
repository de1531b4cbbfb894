import type pg from 'pg';
import type { Answer, Submission } from '#api';
import { type DatabaseOptions, isAnswered, isDataError, Link } from '#postgres';
import { rest } from '#waiting';
import { isDefect, LogError, OwnFault, ownStep } from '../errors.js';
import type { FeedEvent } from '../feed.port.js';
import { Batch } from './batch.js';
import { load } from './load.js';
import { loadDetails } from './load-details.js';
import { type RowTypes, readRowTypes } from './row-types.js';
import { save, type Written, wasCommitted, written } from './save.js';

/** A submission that waits for its answer. */
export interface Waiting extends Submission {
  /** By performance.now(); afterwards it is answered `timeout` if it still stands in the queue. */
  deadline: number;
  resolve(answer: Answer): void;
  reject(error: LogError): void;
}

export interface LaneOptions {
  database: DatabaseOptions;
  /** CloudEvents source of this ledger's events. */
  source: string;
  /** Most commands in one transaction. */
  maxBatch: number;
  /** Most commands that may wait; the next one is answered `overloaded`. */
  maxQueue: number;
  /** Most of them that one tenant may have there; as many as fit when left out. */
  maxOfTenant?: number | undefined;
  /** How long to find out whether a commit happened whose answer was lost, in milliseconds. */
  settleMs: number;
  /** Hears every committed event, in its partition's order. */
  onCommitted(events: readonly FeedEvent[]): void;
  onBatch(commands: number, milliseconds: number): void;
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

/** A batch takes milliseconds. One that takes so long waits for something that Postgres waits for. */
const LONG_MS = 3_000;
/** So long it is believed that the next one would wait, too. */
const BELIEVED_MS = 10_000;

/** Between two looks whether a lost commit happened. */
const RETRY_MS = 100;

/** The first ones of each tenant, one after the other, until there are so many. */
function takenInTurn(queue: readonly Waiting[], most: number): Waiting[] {
  const byTenant = new Map<string | undefined, Waiting[]>();
  for (const one of queue) {
    const others = byTenant.get(one.tenant);
    if (others) others.push(one);
    else byTenant.set(one.tenant, [one]);
  }
  const taken: Waiting[] = [];
  for (let turn = 0; taken.length < most; turn += 1) {
    for (const waiting of byTenant.values()) {
      const next = waiting[turn];
      if (next && taken.length < most) taken.push(next);
    }
  }
  return taken;
}

/** The commands of some partitions, and a connection that commits one batch at a time. */
export class Lane {
  private queue: Waiting[] = [];
  /** How many of them each tenant has, where that is limited. */
  private readonly waitingOf = new Map<string, number>();
  private readonly link: Link<Connection>;
  /** Time in batches that are over, and when the one at hand began, by performance.now(). */
  private worked = 0;
  private since: number | undefined;
  /** When the last batch was over, if it took long. */
  private longUntil = Number.NEGATIVE_INFINITY;
  /** Postgres warned that the commit at hand was not awaited by its standby. */
  private unreplicated = false;

  constructor(private readonly options: LaneOptions) {
    this.link = new Link(options.database, (client) => this.takeOn(client));
  }

  get waiting(): number {
    return this.queue.length;
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

  push(submission: Waiting): void {
    const { maxQueue, maxOfTenant } = this.options;
    const isFull = this.queue.length >= maxQueue;
    if (isFull || (maxOfTenant !== undefined && !this.countIn(submission, maxOfTenant))) {
      submission.reject(new LogError('overloaded', 'Too many commands are waiting already.'));
      return;
    }
    this.queue.push(submission);
  }

  /** False when the tenant has as many there as it may. */
  private countIn({ tenant = '' }: Waiting, most: number): boolean {
    const count = this.waitingOf.get(tenant) ?? 0;
    if (tenant !== '' && count >= most) return false; // what the ledger itself wants done is of no tenant
    this.waitingOf.set(tenant, count + 1);
    return true;
  }

  private countOut(taken: readonly Waiting[]): void {
    if (this.waitingOf.size === 0) return;
    for (const { tenant = '' } of taken) {
      const left = (this.waitingOf.get(tenant) ?? 1) - 1;
      if (left > 0) this.waitingOf.set(tenant, left);
      else this.waitingOf.delete(tenant);
    }
  }

  /**
   * The next commands, at most a batch of them, each tenant's in the order of their arrival. When more wait than fit,
   * tenants take turns: one that sends many holds up itself.
   */
  take(): Waiting[] {
    const { maxBatch } = this.options;
    const isShared = this.queue.length > maxBatch && this.waitingOf.size > 1;
    const taken = isShared ? takenInTurn(this.queue, maxBatch) : this.queue.splice(0, maxBatch);
    if (isShared) {
      const gone = new Set(taken);
      this.queue = this.queue.filter((one) => !gone.has(one));
    }
    this.countOut(taken);
    return taken;
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.link.close();
  }

  /**
   * Commits a batch; resolves to what answers it, so that the next one can be on its way before. Sends what there
   * is to send before it returns. Never throws: every failure is somebody's answer.
   */
  async commit(taken: Waiting[]): Promise<Tell> {
    const batch = this.inTime(taken);
    if (batch.length === 0) return () => {};
    const started = performance.now();
    this.since = started;
    const tell = await this.attempt(batch);
    this.since = undefined;
    const ended = performance.now();
    const took = ended - started;
    this.worked += took;
    this.longUntil = took > LONG_MS ? ended : Number.NEGATIVE_INFINITY;
    this.options.onBatch(batch.length, took);
    return tell;
  }

  private inTime(taken: Waiting[]): Waiting[] {
    const now = performance.now();
    return taken.filter((submission) => {
      if (submission.deadline > now) return true;
      submission.reject(new LogError('timeout', 'The command waited too long and was not obeyed.'));
      return false;
    });
  }

  private async attempt(batch: Waiting[]): Promise<Tell> {
    let decided: Decided | undefined;
    try {
      const connection = this.link.opened ?? (await this.link.open());
      decided = await this.prepare(batch, connection);
      this.unreplicated = false;
      await save(connection.client, decided);
      return this.unreplicated ? refusal(batch, unknownOutcome()) : this.answers(decided);
    } catch (error) {
      this.options.onFault(error);
      await this.link.close();
      if (decided && !isAnswered(error)) return this.settle(batch, decided, error);
      if (isDataError(error) || error instanceof OwnFault) return this.split(batch, error);
      if (isDefect(error)) return refusal(batch, defect(error));
      return refusal(batch, new LogError('unavailable', 'Postgres cannot be used.', { cause: error }));
    }
  }

  /** Reads all that a batch and its answers need, and decides it. */
  private async prepare(waiting: Waiting[], { client, types }: Connection): Promise<Decided> {
    const batch = new Batch(await load(client, waiting), this.options.source);
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
    const tell = await this.attempt(batch.slice(0, middle));
    tell();
    return this.attempt(batch.slice(middle));
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
        return isDefect(cause) ? refusal(batch, defect(cause)) : await this.attempt(this.inTime(batch));
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
  return new LogError('unknown-outcome', 'Nobody can say yet whether the command was obeyed.');
}
