import { BadEvent, type FollowedEvent, toEvent } from './event.js';
import { type EventSource, FollowerStopped, feedSource } from './event-source.js';
import { type FollowedTo, Handler } from './handler.js';
import type { LedgerClient } from './ledger-client.js';
import { countPartitions } from './partitions.js';
import { backoffMs, now, pause } from './waiting.js';

export interface FollowOptions {
  ledger: LedgerClient;
  /** The ledger's own stream unless given; `kafkaSource` of `@session-ledger/client/kafka` is another. */
  source?: EventSource;
  /** What was handled before, by partition; partitions that are left out begin at their first event. */
  from: 'beginning' | ReadonlyMap<number, number>;
  /**
   * Events of one partition, in order, each once while this follower lives; one call at a time. After a restart
   * they come again from the position that was stored last: store it along with what you do.
   */
  onEvents(events: FollowedEvent[], to: FollowedTo): Promise<void> | void;
  /** Required, so that nobody misses it: it goes on by itself no more. */
  onStopped(why: FollowerStopped): void;
  /** Events were missing and are read from the feed; or a connection broke and is opened anew. */
  onTrouble?(error: unknown): void;
  /** What becomes of events of types that this version does not know: `hand-on` unless set. */
  unknown?: 'hand-on' | 'skip';
  /** Most events of one call: 500 unless set. */
  maxBatch?: number;
  /** How often a call that threw is repeated, with growing pauses: 5 times unless set. */
  retries?: number;
  /** Milliseconds that one call may take: 60,000 unless set. One that takes longer is never repeated beside itself. */
  handlerMs?: number;
}

/** Events that a source should have had: after `after` came `found`. They were read from the feed. */
export class Gap extends Error {
  override readonly name = 'Gap';

  constructor(
    readonly partition: number,
    readonly after: number,
    readonly found: number,
  ) {
    super(
      `events are missing in partition ${partition}: after ${after} came ${found}; reading them from the feed`,
    );
  }
}

/** What a follower has seen so far. */
export interface FollowerCounts {
  handled: number;
  /** Came again and were dropped. */
  repeated: number;
  gaps: number;
  /** Read from the feed in place of the source. */
  healed: number;
  connections: number;
}

const PAGE = 500;
const MOST_BAD = 5;
/** A connection that lived this long was no failure in a row. */
const HEALTHY_MS = 60_000;

/** Follows the events of all partitions, from a position on, each once and in order, until it is told to stop. */
export class Follower {
  readonly counts: FollowerCounts = { handled: 0, repeated: 0, gaps: 0, healed: 0, connections: 0 };
  /** Settles when no further call of `onEvents` will begin: to why, if it was not told to. Never rejects. */
  readonly done: Promise<FollowerStopped | undefined>;
  readonly #options: FollowOptions;
  readonly #source: EventSource;
  readonly #handler: Handler;
  readonly #stop = new AbortController();
  #positions: number[] = [];
  #ledgerId: string | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#source = options.source ?? feedSource(options.ledger);
    this.#handler = new Handler(options, this.#stop.signal, (error) => this.#trouble(error));
    this.done = this.#run();
  }

  /** The last sequence handled, by partition. */
  get positions(): Map<number, number> {
    return new Map(this.#positions.entries());
  }

  /** When the source last said anything, by `performance.now()`; -Infinity before. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Resolves when no further call of `onEvents` will begin; waits for the one that runs. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the follower is stopped'));
    await this.done;
  }

  async #run(): Promise<FollowerStopped | undefined> {
    const { signal } = this.#stop;
    let isChecked = false;
    for (let [failures, bad] = [0, 0]; !signal.aborted; ) {
      const begunAt = now();
      try {
        if (this.#positions.length === 0) this.#positions = await this.#begin();
        await this.#check();
        isChecked = true;
        this.counts.connections += 1;
        await this.#read(signal);
      } catch (error) {
        if (signal.aborted) break;
        if (now() - begunAt > HEALTHY_MS) [failures, bad] = [0, 0];
        bad += error instanceof BadEvent ? 1 : 0;
        const stopped = error instanceof FollowerStopped ? error : undefined;
        const why =
          stopped ?? (bad >= MOST_BAD ? new FollowerStopped('bad-events', `${error}`, error) : undefined);
        if (why) return this.#stopped(why);
        this.#trouble(error);
      }
      failures += 1;
      await pause(backoffMs(isChecked ? failures : failures + 2), signal).catch(() => {});
    }
    return undefined;
  }

  #stopped(why: FollowerStopped): FollowerStopped {
    this.#stop.abort(why);
    this.#guarded(() => this.#options.onStopped(why));
    return why;
  }

  async #read(signal: AbortSignal): Promise<void> {
    // Of its own, so that a connection that is given up does not go on beside the next one.
    const reading = new AbortController();
    const abort = () => reading.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await this.#source.read({
        positions: this.#positions,
        take: (events) => this.#take(events),
        alive: () => {
          this.#heardAt = now();
        },
        signal: reading.signal,
      });
    } finally {
      signal.removeEventListener('abort', abort);
      reading.abort();
    }
  }

  /** The stored position as a list of all partitions. */
  async #begin(): Promise<number[]> {
    const { from, ledger } = this.#options;
    const count = await countPartitions(ledger, this.#stop.signal);
    const stored = from === 'beginning' ? [] : [...from];
    const beyond = stored.find(
      ([partition, sequence]) => partition >= count || !Number.isSafeInteger(sequence),
    );
    if (beyond) {
      throw new FollowerStopped(
        'partitions-changed',
        `a position of partition ${beyond[0]}; the ledger has ${count}`,
      );
    }
    const positions = new Array<number>(count).fill(0);
    for (const [partition, sequence] of stored) positions[partition] = sequence;
    return positions;
  }

  /** That the ledger still has what was followed last, and the source goes on from there. */
  async #check(): Promise<void> {
    for (const [partition, sequence] of this.#positions.entries()) {
      if (sequence === 0) continue;
      const [event] = await this.#feed(partition, sequence - 1, 1);
      if (event?.sequence === sequence) this.#ofThisLedger(event);
      else throw new FollowerStopped('position-ahead', `the ledger has no event ${partition}:${sequence}`);
    }
    await this.#source.check?.(this.#positions);
  }

  async #take(events: readonly FollowedEvent[]): Promise<void> {
    this.#heardAt = now();
    const byPartition = new Map<number, FollowedEvent[]>();
    for (const event of events) {
      this.#ofThisLedger(event);
      const others = byPartition.get(event.partition);
      if (others) others.push(event);
      else byPartition.set(event.partition, [event]);
    }
    for (const [partition, group] of byPartition) await this.#takeInOrder(partition, group);
  }

  async #takeInOrder(partition: number, events: readonly FollowedEvent[]): Promise<void> {
    let last = this.#positions[partition];
    if (last === undefined) {
      throw new FollowerStopped(
        'partitions-changed',
        `an event of partition ${partition}, of ${this.#positions.length}`,
      );
    }
    let fresh: FollowedEvent[] = [];
    for (const event of events) {
      if (event.sequence <= last) {
        this.counts.repeated += 1;
        continue;
      }
      if (event.sequence > last + 1) {
        await this.#handle(partition, fresh);
        fresh = [];
        await this.#heal(new Gap(partition, last, event.sequence));
      }
      fresh.push(event);
      last = event.sequence;
    }
    await this.#handle(partition, fresh);
  }

  /** Nothing is delivered beyond a gap before the feed has filled it. */
  async #heal(gap: Gap): Promise<void> {
    this.counts.gaps += 1;
    this.#trouble(gap);
    const { partition, found } = gap;
    for (let after = gap.after; after < found - 1; ) {
      const events = await this.#feed(partition, after, Math.min(PAGE, found - 1 - after));
      const isDense =
        events.length > 0 && events.every(({ sequence }, index) => sequence === after + 1 + index);
      if (!isDense)
        throw new FollowerStopped('events-missing', `the feed has no event ${partition}:${after + 1}`);
      await this.#handle(partition, events);
      this.counts.healed += events.length;
      after += events.length;
    }
  }

  async #handle(partition: number, events: readonly FollowedEvent[]): Promise<void> {
    const { maxBatch = 500, unknown } = this.#options;
    for (let at = 0; at < events.length; at += maxBatch) {
      this.#stop.signal.throwIfAborted();
      const batch = events.slice(at, at + maxBatch);
      const sequence = batch.at(-1)?.sequence as number;
      const shown = unknown === 'skip' ? batch.filter(({ type }) => type !== 'unknown') : batch;
      if (shown.length > 0) await this.#handler.call(shown, partition, sequence);
      this.#positions[partition] = sequence;
      this.counts.handled += shown.length;
    }
  }

  async #feed(partition: number, after: number, limit: number): Promise<FollowedEvent[]> {
    const { ledger } = this.#options;
    const page = await ledger.call(
      'feed',
      { query: { partition, after, limit } },
      { signal: this.#stop.signal },
    );
    return page.events.map(toEvent);
  }

  #ofThisLedger({ document }: FollowedEvent): void {
    this.#ledgerId ??= document.source;
    if (document.source !== this.#ledgerId) {
      throw new FollowerStopped(
        'another-ledger',
        `an event of ${document.source}, after those of ${this.#ledgerId}`,
      );
    }
  }

  #trouble(error: unknown): void {
    this.#guarded(() => this.#options.onTrouble?.(error));
  }

  /** A listener that throws is no reason to lose an event. */
  #guarded(tell: () => void): void {
    try {
      tell();
    } catch {}
  }
}
