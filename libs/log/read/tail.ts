import type pg from 'pg';
import { query } from '#postgres';
import { Loop, rest, untilWoken } from '#waiting';
import { refuseRead } from '../errors.js';
import type { Feed, FeedEvent } from '../feed.port.js';
import { noteARestore } from '../followers/restores.js';
import { statement } from '../statements.js';
import { refuseArchived } from './archives.js';
import { type HeadRow, readFeed } from './feed-rows.js';
import { PartitionTail } from './partition-tail.js';

const readEnds = statement('read_ends');
const lookAtHeads = statement('look_at_heads');

/** Most events of one read. */
const PAGE = 500;

/** So long what others append gathers, until it is read, when a commit of this replica came after it. */
const GATHER_MS = 10;

export interface TailOptions {
  pool: pg.Pool;
  /** All pools of the replica: a new connection of any of them may lead to another past. Only `pool` when left out. */
  others?: readonly pg.Pool[];
  partitions: number;
  /** How often to ask Postgres what other replicas have appended, in milliseconds. */
  pollMs: number;
  /** Hears at each look which version of who may ask Postgres has. */
  onAccess?: (version: number) => void;
  onFault(error: unknown): void;
}

/**
 * Hears committed events in their partition's order, each once, from the moment it was added. While nobody wants events
 * it hears of news without those of other replicas.
 */
export type TailListener = (events: readonly FeedEvent[]) => void;

/** Hears that the past of the log is another one than this replica knew, after it was forgotten here. */
export type RewindListener = () => void;

/**
 * The end of every partition, in memory: what this replica commits arrives at once, what others commit is
 * found by asking for the heads. Keeps at most 1,024 events and 1 MiB a partition; older ones are read from
 * Postgres.
 *
 * The table is the truth. After a failover to a standby that lacked the last commits, or a restore, it holds another
 * past than was known here. All that can bring that about ends connections: with each new one the last
 * events known are held against the table. Where they are not in it, everything is forgotten, `history` rises, and
 * whoever listens for it looks again (docs/decisions/0016-the-table-is-the-truth.md).
 */
export class Tail implements Feed {
  readonly partitions: number;
  history = 0;
  /** How often the past of the log has changed, for all replicas: ids of events are good for one such time. */
  restores = 0;
  /** Postgres is a standby: what is not here may be at its primary. */
  isStandby = false;
  private readonly tails: PartitionTail[];
  /** With whether they want events now. */
  private readonly listeners = new Map<TailListener, () => boolean>();
  private readonly rewindListeners = new Set<RewindListener>();
  /** The table may have another past than is known here: the next look compares. */
  private suspect = false;
  private isComparing = false;
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
    for (const pool of this.watched) pool.on('connect', this.onConnect);
    await this.adopt((await query(this.options.pool, lookAtHeads)).rows);
    this.poll.start(this.options.pollMs);
  }

  close(): void {
    void this.poll.close(); // what it asks for now fails with the pool
    for (const pool of this.watched) pool.off('connect', this.onConnect);
    for (const tail of this.tails) tail.wakeAll();
  }

  private get watched(): ReadonlySet<pg.Pool> {
    return new Set([this.options.pool, ...(this.options.others ?? [])]);
  }

  /** The last sequence of each partition that this replica knows of. */
  heads(): number[] {
    return this.tails.map((tail) => tail.head);
  }

  /** `isWanted`: whether it has use for events. What others append is not read while nobody has, and nobody waits for it. */
  listen(listener: TailListener, isWanted = () => true): () => void {
    this.listeners.set(listener, isWanted);
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
    return this.kept(partition, after, limit) ?? this.readTable(partition, after, limit);
  }

  readTable(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    return this.readFrom(this.options.pool, partition, after, limit);
  }

  /** The last sequence of a partition that this replica knows of. */
  head(partition: number): number {
    return this.tail(partition).head;
  }

  /** Events after a sequence, at most `limit`, from memory; undefined when it does not have them, or there are none. */
  kept(partition: number, after: number, limit: number): FeedEvent[] | undefined {
    return this.isSure ? this.tail(partition).kept(after, limit) : undefined;
  }

  /** Whether what is in memory is known to be the table's past: not from a lost connection on until it was compared. */
  get isSure(): boolean {
    return !this.suspect && !this.isComparing;
  }

  changed(partition: number, after: number, ms: number, signal?: AbortSignal): Promise<void> {
    const tail = this.tail(partition);
    if (tail.head > after || this.poll.isClosed) return Promise.resolve();
    return untilWoken({ ms, signal }, (resolve) => tail.onNews(after, resolve));
  }

  private tail(partition: number): PartitionTail {
    const tail = this.tails[partition];
    if (!tail) throw new RangeError(`there is no partition ${partition}`);
    return tail;
  }

  private arrive(partition: number, events: FeedEvent[]): void {
    const tail = this.tail(partition);
    if (tail.contradicts(events)) this.suspect = true;
    const next = events.findIndex(({ sequence }) => sequence === tail.head + 1);
    if (next >= 0) this.take(tail, next === 0 ? events : events.slice(next));
    else if ((events.at(-1)?.sequence ?? 0) <= tail.head) return;
    // Another replica has appended in between: read what is missing, then these, in order.
    else if (tail.filling || this.isWanted(tail)) this.fill(partition, GATHER_MS);
    else {
      tail.skipTo(events);
      this.tell(events);
    }
  }

  /** Whether anybody has use for events that other replicas append to a partition. */
  private isWanted(tail: PartitionTail): boolean {
    if (tail.isAwaited) return true;
    for (const isWanted of this.listeners.values()) if (isWanted()) return true;
    return false;
  }

  /** Reads up to the end what others have appended, after a while. */
  private fill(partition: number, ms = 0): void {
    const tail = this.tail(partition);
    tail.filling ??= (ms > 0 ? rest(ms) : Promise.resolve())
      .then(() => this.readOn(partition, tail))
      .catch(this.options.onFault) // the next poll tries again
      .finally(() => {
        tail.filling = undefined;
      });
  }

  private async readOn(partition: number, tail: PartitionTail): Promise<void> {
    const { history } = this;
    while (!this.poll.isClosed) {
      const events = await this.readTable(partition, tail.head, PAGE);
      if (history !== this.history) return; // these may be of the past that was forgotten meanwhile
      const news = events.filter(({ sequence }) => sequence > tail.head);
      if (news.length > 0) this.take(tail, news);
      if (events.length < PAGE) return;
    }
  }

  private take(tail: PartitionTail, events: FeedEvent[]): void {
    tail.take(events);
    this.tell(events);
  }

  private tell(events: readonly FeedEvent[]): void {
    for (const listener of this.listeners.keys()) listener(events);
  }

  /** As `readTable`, over connections of another pool. */
  async readFrom(pool: pg.Pool, partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    const events = await readFeed(pool, partition, after, limit).catch(refuseRead);
    // What is archived leaves the table from the oldest on: the first event tells.
    const [first] = events;
    const isMissing = first ? first.sequence > after + 1 : this.tail(partition).head > after;
    if (isMissing) await refuseArchived(pool, partition, after);
    return events;
  }

  /** Takes what the table holds now for all that is known. */
  private async adopt(heads: readonly LookedAt[]): Promise<void> {
    const ends = await this.ends(heads);
    this.restores = heads[0]?.restores ?? 0;
    this.isStandby = heads[0]?.standby ?? false;
    for (const { partition, sequence } of heads) {
      this.tail(partition).startFrom(sequence, ends.get(partition));
    }
  }

  /** The bytes of the events at some places, by partition. */
  private async ends(places: readonly HeadRow[]): Promise<Map<number, Buffer>> {
    const partitions = places.map(({ partition }) => partition);
    const sequences = places.map(({ sequence }) => sequence);
    const { rows } = await query(this.options.pool, readEnds, [partitions, sequences]);
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
    await this.adopt(isNoted ? heads : (await query(pool, lookAtHeads)).rows);
    this.history += 1;
    for (const tail of this.tails) tail.wakeAll();
    for (const listener of this.rewindListeners) listener();
  }

  private async look(): Promise<void> {
    // What is known before it asks: what comes meanwhile may be missing in the answer.
    const known = this.tails.map(({ head, end }, partition) => ({ partition, sequence: head, end }));
    const wasSuspect = this.suspect;
    this.isComparing ||= wasSuspect;
    this.suspect = false; // before it asks, too: a connection that is made meanwhile has the next look compare again
    const heads: LookedAt[] = (await query(this.options.pool, lookAtHeads)).rows;
    const { restores = 0, access_version = 0, standby = false } = heads[0] ?? {};
    this.isStandby = standby;
    this.options.onAccess?.(access_version);
    const isNoted = restores > this.restores; // by another replica, or by an operator
    const isShorter = heads.some(({ partition, sequence }) => sequence < known[partition]!.sequence);
    const isOlder = restores < this.restores || isShorter;
    if (isNoted || isOlder || ((wasSuspect || this.suspect) && !(await this.holds(known)))) {
      await this.rewind(heads, isNoted);
      this.isComparing = false;
      return;
    }
    this.isComparing = false;
    const unread: HeadRow[] = [];
    for (const head of heads) {
      const tail = this.tail(head.partition);
      if (head.sequence <= tail.head) continue;
      if (tail.filling || this.isWanted(tail)) this.fill(head.partition);
      else unread.push(head);
    }
    if (unread.length > 0) await this.skip(unread);
  }

  /** Goes on to where others have come without reading what they appended, which nobody here has use for. */
  private async skip(heads: readonly HeadRow[]): Promise<void> {
    const { history } = this;
    const ends = await this.ends(heads);
    if (history !== this.history) return;
    for (const { partition, sequence } of heads) {
      const tail = this.tail(partition);
      if (sequence > tail.head && !tail.filling) tail.startFrom(sequence, ends.get(partition));
    }
    this.tell([]);
  }
}

interface LookedAt extends HeadRow {
  restores: number;
  access_version: number;
  standby: boolean;
}

interface KnownEnd extends HeadRow {
  end: Buffer | undefined;
}
