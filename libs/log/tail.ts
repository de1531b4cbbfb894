import type pg from 'pg';
import { Loop, untilWoken } from '#waiting';
import { refuseArchived, refuseArchivedOf } from './archive/archives.js';
import { readError } from './errors.js';
import type { Feed, FeedEvent } from './feed.port.js';
import { feedEvent } from './feed-rows.js';
import { noteARestore } from './restores.js';
import { statement } from './statements.js';

const readHeads = statement('read_heads');
const readFeed = statement('read_feed');
const readEnds = statement('read_ends');
const lookAtHeads = statement('look_at_heads');

/** Most events and bytes of one read, and of what is kept in memory for each partition. */
const PAGE = 500;
const KEPT_EVENTS = 1_024;
const KEPT_BYTES = 1 << 20;

export interface TailOptions {
  pool: pg.Pool;
  partitions: number;
  /** How often to ask Postgres what other replicas have appended, in milliseconds. */
  pollMs: number;
  onFault(error: unknown): void;
}

/** Hears committed events in their partition's order, each once, from the moment it was added. */
export type TailListener = (events: readonly FeedEvent[]) => void;

/** Hears that the past of the log is another one than this replica knew, after it was forgotten here. */
export type RewindListener = () => void;

interface Wake {
  after: number;
  resolve(): void;
}

class PartitionTail {
  head = 0;
  /** The bytes of the event at the head; undefined before the first one. */
  end: Buffer | undefined;
  events: FeedEvent[] = [];
  bytes = 0;
  readonly wakes = new Set<Wake>();
  filling: Promise<void> | undefined;
}

/**
 * The end of every partition, in memory: what this replica commits arrives at once, what others commit is
 * found by asking for the heads. Keeps at most 1,024 events and 1 MiB a partition; older ones are read from
 * Postgres.
 *
 * The table is the truth. After a failover to a standby that lacked the last commits, or a restore, it holds another
 * past than was known here. All that can bring that about ends connections: with each new one of the pool the last
 * events known are held against the table. Where they are not in it, everything is forgotten, `history` rises, and
 * whoever listens for it looks again (docs/decisions/0016-the-table-is-the-truth.md).
 */
export class Tail implements Feed {
  readonly partitions: number;
  history = 0;
  /** How often the past of the log has changed, for all replicas: ids of events are good for one such time. */
  restores = 0;
  private readonly tails: PartitionTail[];
  private readonly listeners = new Set<TailListener>();
  private readonly rewindListeners = new Set<RewindListener>();
  /** The table may have another past than is known here: the next look compares. */
  private suspect = false;
  private readonly onConnect = () => {
    this.suspect = true;
  };
  private readonly poll: Loop;

  constructor(private readonly options: TailOptions) {
    this.partitions = options.partitions;
    this.tails = Array.from({ length: options.partitions }, () => new PartitionTail());
    this.poll = new Loop({
      everyMs: options.pollMs,
      round: () => this.look(),
      onFault: (error) => {
        this.suspect = true;
        if (!this.poll.isClosed) options.onFault(error);
      },
    });
  }

  /** Takes the present heads as the start; throws when Postgres does not answer. */
  async start(): Promise<void> {
    this.options.pool.on('connect', this.onConnect);
    await this.adopt((await this.options.pool.query(lookAtHeads)).rows);
    this.poll.start(this.options.pollMs);
  }

  close(): void {
    void this.poll.close(); // what it asks for now fails with the pool
    this.options.pool.off('connect', this.onConnect);
    for (const tail of this.tails) for (const wake of tail.wakes) wake.resolve();
  }

  /** The last sequence of each partition that this replica knows of. */
  heads(): number[] {
    return this.tails.map((tail) => tail.head);
  }

  /** The last sequence of each partition as of now. Rejects with LogError `unavailable`. */
  async storedHeads(): Promise<number[]> {
    const { rows } = await this.options.pool.query(readHeads).catch((error) => {
      throw readError(error);
    });
    const heads = this.heads();
    for (const { partition, sequence } of rows) heads[partition] = sequence;
    return heads;
  }

  listen(listener: TailListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onRewind(listener: RewindListener): () => void {
    this.rewindListeners.add(listener);
    return () => this.rewindListeners.delete(listener);
  }

  /** Events that this replica has just committed. */
  committed(events: readonly FeedEvent[]): void {
    const byPartition = new Map<number, FeedEvent[]>();
    for (const event of events) {
      const group = byPartition.get(event.partition);
      if (group) group.push(event);
      else byPartition.set(event.partition, [event]);
    }
    for (const [partition, group] of byPartition) this.arrive(partition, group);
  }

  async read(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    const { events } = this.tail(partition);
    const first = events[0]?.sequence;
    if (first !== undefined && first <= after + 1 && after < first + events.length - 1) {
      return events.slice(after + 1 - first, after + 1 - first + limit);
    }
    return this.readStored(partition, after, limit);
  }

  readTable(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    return this.readStored(partition, after, limit);
  }

  changed(partition: number, after: number, ms: number, signal?: AbortSignal): Promise<void> {
    const tail = this.tail(partition);
    if (tail.head > after || this.poll.isClosed) return Promise.resolve();
    return untilWoken({ ms, signal }, (resolve) => {
      const wake: Wake = { after, resolve };
      tail.wakes.add(wake);
      return () => tail.wakes.delete(wake);
    });
  }

  private tail(partition: number): PartitionTail {
    const tail = this.tails[partition];
    if (!tail) throw new RangeError(`there is no partition ${partition}`);
    return tail;
  }

  private arrive(partition: number, events: FeedEvent[]): void {
    const tail = this.tail(partition);
    if (contradicts(tail, events)) this.suspect = true;
    const next = events.findIndex(({ sequence }) => sequence === tail.head + 1);
    if (next >= 0) this.take(tail, next === 0 ? events : events.slice(next));
    // Another replica has appended in between: read what is missing, then these, in order.
    else if ((events.at(-1)?.sequence ?? 0) > tail.head) this.fill(partition);
  }

  /** Reads up to the end what others have appended. */
  private fill(partition: number): void {
    const tail = this.tail(partition);
    tail.filling ??= this.readOn(partition, tail)
      .catch(this.options.onFault) // the next poll tries again
      .finally(() => {
        tail.filling = undefined;
      });
  }

  private async readOn(partition: number, tail: PartitionTail): Promise<void> {
    const { history } = this;
    while (!this.poll.isClosed) {
      const events = await this.readStored(partition, tail.head, PAGE);
      if (history !== this.history) return; // these may be of the past that was forgotten meanwhile
      const news = events.filter(({ sequence }) => sequence > tail.head);
      if (news.length > 0) this.take(tail, news);
      if (events.length < PAGE) return;
    }
  }

  private take(tail: PartitionTail, events: FeedEvent[]): void {
    for (const event of events) {
      tail.events.push(event);
      tail.bytes += event.bytes.length;
    }
    const last = events.at(-1);
    if (last) Object.assign(tail, { head: last.sequence, end: last.bytes });
    forget(tail);
    for (const wake of tail.wakes) if (wake.after < tail.head) wake.resolve();
    for (const listener of this.listeners) listener(events);
  }

  /** Throws ArchivedError for the first place of `afters`, one a partition, whose next event is archived. */
  async refuseArchived(afters: readonly number[]): Promise<void> {
    await refuseArchivedOf(this.options.pool, afters).catch((error) => {
      throw readError(error);
    });
  }

  private async readStored(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    const { pool } = this.options;
    const values = [partition, after, limit];
    const { rows } = await pool.query({ ...readFeed, values }).catch((error) => {
      throw readError(error);
    });
    // What is archived leaves the table from the oldest on: the first row tells.
    const isMissing = rows.length > 0 ? rows[0].sequence > after + 1 : this.tail(partition).head > after;
    if (isMissing) await this.refuseMissing(partition, after);
    return rows.map((row) => feedEvent(partition, row));
  }

  private async refuseMissing(partition: number, after: number): Promise<void> {
    await refuseArchived(this.options.pool, partition, after).catch((error) => {
      throw readError(error);
    });
  }

  /** Takes what the table holds now for all that is known. */
  private async adopt(heads: readonly LookedAt[]): Promise<void> {
    const ends = await this.ends(heads);
    this.restores = heads[0]?.restores ?? 0;
    for (const { partition, sequence } of heads) {
      const now = { head: sequence, end: ends.get(partition), events: [], bytes: 0 };
      Object.assign(this.tail(partition), now);
    }
  }

  /** The bytes of the events at some places, by partition. */
  private async ends(places: readonly HeadRow[]): Promise<Map<number, Buffer>> {
    const values = [places.map(({ partition }) => partition), places.map(({ sequence }) => sequence)];
    const { rows } = await this.options.pool.query({ ...readEnds, values });
    return new Map(rows.map(({ partition, bytes }) => [partition, bytes]));
  }

  /** Whether the table holds last events that were known here: then also all that stood before them. */
  private async holds(known: readonly KnownEnd[]): Promise<boolean> {
    const ends = await this.ends(known);
    return known.every(({ partition, end }) => !end || ends.get(partition)?.equals(end));
  }

  /** Forgets a past that the table does not have, once everybody can know of it. */
  private async rewind(heads: readonly LookedAt[], isNoted: boolean): Promise<void> {
    const { pool, onFault } = this.options;
    // A standby cannot write it down: whoever writes to its primary finds it, too.
    if (!isNoted) await noteARestore(pool, undefined, this.restores).catch(onFault);
    await this.adopt(isNoted ? heads : (await pool.query(lookAtHeads)).rows);
    this.history += 1;
    for (const { wakes } of this.tails) for (const wake of wakes) wake.resolve();
    for (const listener of this.rewindListeners) listener();
  }

  private async look(): Promise<void> {
    // What is known before it asks: what comes meanwhile may be missing in the answer.
    const known = this.tails.map(({ head, end }, partition) => ({ partition, sequence: head, end }));
    const wasSuspect = this.suspect;
    this.suspect = false; // before it asks, too: a connection that is made meanwhile has the next look compare again
    const heads: LookedAt[] = (await this.options.pool.query(lookAtHeads)).rows;
    const restores = heads[0]?.restores ?? 0;
    const isNoted = restores > this.restores; // by another replica, or by an operator
    const isShorter = heads.some(({ partition, sequence }) => sequence < known[partition]!.sequence);
    const isOlder = restores < this.restores || isShorter;
    if (isNoted || isOlder || ((wasSuspect || this.suspect) && !(await this.holds(known)))) {
      await this.rewind(heads, isNoted);
      return;
    }
    for (const { partition, sequence } of heads) {
      if (sequence > this.tail(partition).head) this.fill(partition);
    }
  }
}

interface HeadRow {
  partition: number;
  sequence: number;
}

interface LookedAt extends HeadRow {
  restores: number;
}

interface KnownEnd extends HeadRow {
  end: Buffer | undefined;
}

/** Whether one of the events stands where another one is known. */
function contradicts({ head, end, events: known }: PartitionTail, events: readonly FeedEvent[]): boolean {
  const first = known[0]?.sequence ?? head;
  return events.some(({ sequence, bytes }) => {
    if (sequence > head) return false;
    const other = sequence === head ? end : known[sequence - first]?.bytes;
    return other !== undefined && !other.equals(bytes);
  });
}

/** Drops the oldest half while a bound is passed, so that dropping costs little an event. */
function forget(tail: PartitionTail): void {
  while (tail.events.length > KEPT_EVENTS || tail.bytes > KEPT_BYTES) {
    tail.events = tail.events.slice(Math.ceil(tail.events.length / 2));
    tail.bytes = tail.events.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
