import type pg from 'pg';
import type { Growing, ScopeEvent } from '#api';
import type { ScopeKey } from '#session';
import { Places } from '#waiting';
import { refuseRead } from '../errors.js';
import type { FeedEvent } from '../feed.port.js';
import { refuseArchivedOf } from './archives.js';
import { readHeads } from './feed-rows.js';
import { History } from './history.js';
import type { Tail } from './tail.js';

/** Most events of a follower's page. */
const PAGE = 100;
/** So many pages are read at once for followers that are behind: the rest of the pool is for those who ask for one. */
const AT_ONCE = 1;

/**
 * Pages of the log for those outside: from memory where it has them, else read once for all who ask for the same. Pages of
 * followers end at multiples of 100, so that those who are on their way through the same past meet. What has been
 * committed when somebody asks is in what they get.
 */
export class LogPages implements Growing {
  private readonly places = new Places(AT_ONCE);
  private readonly history: History;
  private readonly ofPartitions = new SharedPages<FeedEvent>(({ bytes }) => bytes.length);
  private readonly ofScopes = new SharedPages<ScopeEvent>(({ json }) => json.length);

  constructor(
    private readonly tail: Tail,
    private readonly pool: pg.Pool,
  ) {
    this.history = new History(pool);
    tail.onRewind(() => {
      this.ofPartitions.forgetAll();
      this.ofScopes.forgetAll();
    });
  }

  get restores(): number {
    return this.tail.restores;
  }

  get isStandby(): boolean {
    return this.tail.isStandby;
  }

  heads(): number[] {
    return this.tail.heads();
  }

  /** The last sequence of each partition as of now. Rejects with LogError `unavailable`. */
  async storedHeads(): Promise<number[]> {
    const stored = await readHeads(this.pool).catch(refuseRead);
    const heads = this.heads();
    for (const { partition, sequence } of stored) heads[partition] = sequence;
    return heads;
  }

  /** Throws ArchivedError for the first place of `afters`, one a partition, whose next event is archived. */
  async refuseArchived(afters: readonly number[]): Promise<void> {
    await refuseArchivedOf(this.pool, afters);
  }

  /** A partition's events after a sequence. Rejects as Tail.read does. */
  async read(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    const read = () => this.tail.readFrom(this.pool, partition, after, limit);
    const kept = this.tail.kept(partition, after, limit);
    if (kept) return kept;
    // Beyond what is known here there may be more by now, or another past: that is for each to find out.
    if (!this.tail.isSure || this.tail.head(partition) < after + limit) return read();
    return this.ofPartitions.get(`${partition}/${after}/${limit}`, limit, read);
  }

  /** The next events of a partition for a follower; none when it is at the end that is known here. */
  async follow(partition: number, after: number): Promise<FeedEvent[]> {
    const limit = pageAfter(after, this.tail.head(partition));
    if (limit <= 0) return [];
    return (
      this.tail.kept(partition, after, limit) ??
      this.ofPartitions.get(`${partition}/${after}/${limit}`, limit, () =>
        this.places.run(() => this.tail.readFrom(this.pool, partition, after, limit)),
      )
    );
  }

  /** The next events of a scope for a follower; `last` is the version of one that is committed. */
  async followScope(scopeKey: ScopeKey, after: number, last: number): Promise<ScopeEvent[]> {
    const limit = pageAfter(after, last);
    return this.ofScopes.get(`${scopeKey}/${after}/${limit}`, limit, () =>
      this.places.run(() => this.history.events(scopeKey, after, limit)),
    );
  }
}

function pageAfter(after: number, last: number): number {
  return Math.min(PAGE - (after % PAGE), last - after);
}

/** Most bytes of shared pages that are kept, and for how long, in milliseconds. */
const KEPT_BYTES = 32 << 20;
const KEPT_MS = 2_000;

interface Page<Event> {
  events: Promise<Event[]>;
  bytes: number;
  /** By performance.now(). */
  until: number;
}

/**
 * Pages that do not change any more: each is read once for all who ask while it is being read, and for two seconds after
 * that. Readers who began at the same place go on together. Keeps at most 32 MiB.
 */
export class SharedPages<Event> {
  /** The oldest first. */
  private readonly pages = new Map<string, Page<Event>>();
  private bytes = 0;

  constructor(private readonly sizeOf: (event: Event) => number) {}

  /** `whole`: of how many events the page consists. One that lacks some, because they are archived, is not kept. */
  get(key: string, whole: number, read: () => Promise<Event[]>): Promise<Event[]> {
    const known = this.pages.get(key);
    if (known && performance.now() < known.until) return known.events;
    if (known) this.drop(key, known);
    const page: Page<Event> = { events: read(), bytes: 0, until: Number.POSITIVE_INFINITY };
    this.pages.set(key, page);
    page.events.then(
      (events) => (events.length === whole ? this.keep(key, page, events) : this.drop(key, page)),
      () => this.drop(key, page), // whoever asked hears why
    );
    return page.events;
  }

  /** Whoever has asked for what is being read gets it. */
  forgetAll(): void {
    this.pages.clear();
    this.bytes = 0;
  }

  private keep(key: string, page: Page<Event>, events: readonly Event[]): void {
    if (this.pages.get(key) !== page) return;
    page.bytes = events.reduce((sum, event) => sum + this.sizeOf(event), 0);
    page.until = performance.now() + KEPT_MS;
    this.bytes += page.bytes;
    for (const [oldest, kept] of this.pages) {
      if (this.bytes <= KEPT_BYTES) return;
      if (kept.bytes > 0) this.drop(oldest, kept);
    }
  }

  private drop(key: string, page: Page<Event>): void {
    if (this.pages.get(key) !== page) return;
    this.pages.delete(key);
    this.bytes -= page.bytes;
  }
}
