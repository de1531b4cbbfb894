import { backoffMs, onAbort, orAborted, rest, settled } from '#waiting';
import { byPerformance, now } from '../clock.js';
import { isProblem } from '../errors.js';
import type { LedgerClient } from '../ledger-client.js';
import { type EventSource, FollowerStopped, feedSource } from './event-source.js';
import { BadEvent, type FollowedEvent, toEvent } from './followed-event.js';
import { type FollowedTo, Handler } from './handler.js';
import { readHeads, withRestores } from './heads.js';
import { type FollowerCounts, Sequencer } from './sequencer.js';
import { type Seen, Stalled, StallWatch } from './stall-watch.js';
import { tell } from './tell.js';

export interface FollowOptions {
  ledger: LedgerClient;
  /** The ledger's own stream unless given; `kafkaSource` of `@session-ledger/client/kafka` is another. */
  source?: EventSource;
  /**
   * Where to begin: at the `beginning`; at the `present`, with what is written from now on; or after what was handled
   * before, by partition: those that are left out begin at their first event.
   */
  from: 'beginning' | 'present' | ReadonlyMap<number, number>;
  /** Whose positions `from` holds: `follower.ledgerId` as it was then. Another ledger is not followed. */
  ledgerId?: string;
  /**
   * Events of one partition, in order, each once while this follower lives; one call at a time. After a restart
   * they come again from the position that was stored last: store it along with what you do.
   */
  onEvents(events: FollowedEvent[], to: FollowedTo): Promise<void> | void;
  /** Required, so that nobody misses it: it goes on by itself no more. */
  onStopped(why: FollowerStopped): void;
  /**
   * What it helps itself against: events were missing (Gap) or did not come (Stalled) and are read from the feed, a
   * connection broke and is opened anew, a handler threw and is called again.
   */
  onTrouble?(error: unknown): void;
  /** What becomes of events of types that this version does not know: `hand-on` unless set. */
  unknown?: 'hand-on' | 'skip';
  /** Most events of one call, 1 to 10,000: 500 unless set. */
  maxBatch?: number;
  /** How often a call that threw is repeated, with growing pauses, 0 to 1,000: 5 times unless set. */
  retries?: number;
  /**
   * Milliseconds that one call may take, up to an hour: 60,000 unless set. One that takes longer stops the follower
   * and is never repeated beside itself.
   */
  handlerMs?: number;
  /**
   * How often to look how far the ledger is, in milliseconds, up to an hour: 10,000 unless set. What it had at one
   * look and the source has not given by the next is read from the feed, and the source is opened anew.
   */
  lookMs?: number;
}

const MOST_BAD = 5;
/** A connection that lived this long was no failure in a row. */
const HEALTHY_MS = 60_000;
/** How long a source that was told to end may take for it. */
const SOURCE_END_MS = 5_000;
const HOUR_MS = 3_600_000;
/** Most events of a partition that one look reads from the feed: a source may have come back by the next. */
const MOST_HEALED = 5_000;

/** Follows the events of all partitions, from a position on, each once and in order, until it is told to stop. */
export class Follower {
  readonly counts: FollowerCounts = {
    handled: 0,
    repeated: 0,
    gaps: 0,
    stalls: 0,
    healed: 0,
    connections: 0,
  };
  /** Settles when no further call of `onEvents` will begin: to why, if it was not told to. Never rejects. */
  readonly done: Promise<FollowerStopped | undefined>;
  readonly #options: FollowOptions;
  readonly #source: EventSource;
  readonly #sequencer: Sequencer;
  readonly #stop = new AbortController();
  readonly #positions: number[] = [];
  readonly #stalls: StallWatch;
  #reading: AbortController | undefined;
  #isChecking = false;
  #restores: number | undefined;
  #ledgerId: string | undefined;
  #why: FollowerStopped | undefined;

  /** Throws RangeError for an option out of its range. */
  constructor(options: FollowOptions) {
    const { maxBatch = 500, retries = 5, handlerMs = 60_000, lookMs = 10_000 } = options;
    between('maxBatch', maxBatch, 1, 10_000);
    between('retries', retries, 0, 1_000);
    between('handlerMs', handlerMs, 1, HOUR_MS);
    between('lookMs', lookMs, 1, HOUR_MS);
    this.#options = options;
    this.#source = options.source ?? feedSource(options.ledger);
    const { ledgerId } = options;
    if (ledgerId !== undefined) {
      const [id = '', restores] = ledgerId.split('#');
      this.#ledgerId = id;
      this.#restores = Number(restores ?? 0);
    }
    const { signal } = this.#stop;
    const onTrouble = (error: unknown) => this.#trouble(error);
    this.#sequencer = new Sequencer({
      positions: this.#positions,
      counts: this.counts,
      handler: new Handler({ onEvents: options.onEvents, retries, handlerMs }, signal, onTrouble),
      feed: (partition, after, limit) => this.#feed(partition, after, limit),
      checkLedger: (source) => this.#checkLedger(source),
      onTrouble,
      unknown: options.unknown ?? 'hand-on',
      maxBatch,
      signal,
    });
    this.#stalls = new StallWatch(this.#positions, () => this.#sequencer.busyMs);
    this.done = this.#run(lookMs);
  }

  /** The last sequence handled, by partition; empty before it has begun. */
  get positions(): Map<number, number> {
    return new Map(this.#positions.entries());
  }

  /** Whose events these are, as in their `source`: store it with the positions. Undefined before it has begun. */
  get ledgerId(): string | undefined {
    return withRestores(this.#ledgerId, this.#restores);
  }

  /**
   * The moment, by `performance.now()`, as of which all that the ledger had is handled; -Infinity before. While
   * nothing is wrong it lags by `lookMs` at most. It moves back by the time for which the machine was suspended.
   */
  get caughtUpAt(): number {
    return byPerformance(this.#stalls.caughtUpAt);
  }

  /**
   * Resolves when no further call of `onEvents` will begin. The one that runs is told so by its signal and waited for,
   * 10 s at most: then `onStopped` hears of `handler-stuck`.
   */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the follower is stopped'));
    await this.done;
  }

  async #run(lookMs: number): Promise<FollowerStopped | undefined> {
    await Promise.all([this.#connect(), this.#look(lookMs)]);
    await this.#sequencer.settled();
    return this.#why;
  }

  /** Reads the source, over and over. Never rejects. */
  async #connect(): Promise<void> {
    const { signal } = this.#stop;
    for (let [failures, bad] = [0, 0]; !signal.aborted; ) {
      const begunAt = now();
      try {
        await this.#seeLedger();
        this.counts.connections += 1;
        await this.#read();
      } catch (error) {
        if (now() - begunAt > HEALTHY_MS) [failures, bad] = [0, 0];
        bad += error instanceof BadEvent ? 1 : 0;
        this.#failed(bad < MOST_BAD ? error : new FollowerStopped('bad-events', `${error}`, error));
      }
      failures += 1;
      await rest(backoffMs(failures), signal);
    }
  }

  async #read(): Promise<void> {
    // Of its own, so that a connection that is given up does not go on beside the next one.
    const reading = new AbortController();
    const stopListening = onAbort(this.#stop.signal, (reason) => reading.abort(reason));
    this.#reading = reading;
    const reads = this.#readSource(reading.signal);
    try {
      await orAborted(reads, reading.signal);
    } finally {
      stopListening();
      this.#reading = undefined;
      reading.abort(new Error('the connection is given up'));
      await settled(reads, SOURCE_END_MS);
    }
  }

  async #readSource(signal: AbortSignal): Promise<void> {
    await this.#source.check?.(this.#positions);
    signal.throwIfAborted();
    const take = async (events: readonly FollowedEvent[]) => {
      try {
        await this.#sequencer.take(events, signal);
      } catch (error) {
        const why = stopOf(error);
        if (why) this.#halt(why); // whatever the source makes of it
        throw error;
      }
    };
    await this.#source.read({ positions: this.#positions, restores: this.#restores, take, signal });
  }

  /** Sees now and then whether the source gives what the ledger has, whatever becomes of connections. Never rejects. */
  async #look(lookMs: number): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await rest(lookMs, signal);
      if (signal.aborted) return;
      if (this.#positions.length === 0) continue;
      void this.#checkSource(); // beside the rest: what a source hangs in, its check may hang in, too
      await this.#healStalls().catch((error) => this.#failed(error));
    }
  }

  async #checkSource(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      await this.#source.check?.(this.#positions);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isChecking = false;
    }
  }

  async #healStalls(): Promise<void> {
    const stalled = this.#stalls.look(await this.#seeLedger());
    if (stalled.length === 0) return;
    this.counts.stalls += 1;
    this.#trouble(new Stalled(stalled));
    for (const { partition, handled, head } of stalled) {
      await this.#sequencer.catchUp(partition, Math.min(head, handled + MOST_HEALED));
    }
    if (this.#stalls.isTimeToReopen()) this.#reading?.abort(new Error('the source is opened anew'));
  }

  /** How far the ledger is; that it is still the one that was followed, and has all that was handled. */
  async #seeLedger(): Promise<Seen> {
    const before = [...this.#positions]; // what it has to know: more may be handled while it answers
    const at = now();
    const { heads, ledgerId, restores } = await readHeads(this.#options.ledger, this.#stop.signal);
    if (ledgerId !== undefined) this.#checkLedger(ledgerId);
    this.#restores ??= restores;
    if (restores !== undefined && restores !== this.#restores) {
      throw new FollowerStopped('restored', 'the past of the ledger has changed: start anew');
    }
    if (before.length === 0) {
      before.push(...startOf(this.#options.from, heads));
      this.#positions.push(...before);
    }
    if (heads.length !== before.length) {
      const what = `the ledger has ${heads.length} partitions, ${before.length} were followed`;
      throw new FollowerStopped('partitions-changed', what);
    }
    for (const [partition, sequence] of before.entries()) {
      if (sequence > (heads[partition] as number)) await this.#confirm(partition, sequence);
    }
    this.#stalls.saw({ at, heads });
    return { at, heads };
  }

  /** Who answered does not know of it: another replica has just written it, or the ledger was restored. */
  async #confirm(partition: number, sequence: number): Promise<void> {
    const [event] = await this.#feed(partition, sequence - 1, 1);
    if (event?.sequence === sequence) return this.#checkLedger(event.document.source);
    // Refused as ahead of the log, for good; or for now, by a standby that is only late.
    await this.#feed(partition, sequence, 1);
  }

  async #feed(partition: number, after: number, limit: number): Promise<FollowedEvent[]> {
    const { ledger } = this.#options;
    const query = { partition, after, limit };
    const page = await ledger.call('feed', { query }, { signal: this.#stop.signal });
    return page.events.map(toEvent);
  }

  #checkLedger(source: string): void {
    this.#ledgerId ??= source;
    if (source === this.#ledgerId) return;
    throw new FollowerStopped('another-ledger', `it is ${source}, and ${this.#ledgerId} was followed`);
  }

  #failed(error: unknown): void {
    const why = stopOf(error);
    if (why) this.#halt(why);
    else if (!this.#stop.signal.aborted) this.#trouble(error);
  }

  /** For good. */
  #halt(why: FollowerStopped): void {
    if (this.#why) return;
    this.#why = why;
    this.#stop.abort(why);
    tell(() => this.#options.onStopped(why));
  }

  #trouble(error: unknown): void {
    tell(() => this.#options.onTrouble?.(error));
  }
}

/** Where to begin, in each of the ledger's partitions. */
function startOf(from: FollowOptions['from'], heads: readonly number[]): number[] {
  if (from === 'present') return [...heads];
  const positions = heads.map(() => 0);
  if (from === 'beginning') return positions;
  for (const [partition, sequence] of from) {
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      throw new FollowerStopped('position-ahead', `${partition}:${sequence} is no position`);
    }
    if (positions[partition] === undefined) {
      const what = `a position is of partition ${partition}, and the ledger has ${heads.length}`;
      throw new FollowerStopped('partitions-changed', what);
    }
    positions[partition] = sequence;
  }
  return positions;
}

/** What trying again does not help against. */
function stopOf(error: unknown): FollowerStopped | undefined {
  if (error instanceof FollowerStopped) return error;
  if (isProblem(error, 'position-ahead')) return new FollowerStopped('position-ahead', error.message, error);
  if (!isProblem(error, 'archived')) return undefined;
  return new FollowerStopped('archived', 'what comes after the position is in the archive', error);
}

function between(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most && Number.isInteger(value)) return;
  throw new RangeError(`${name} has to be a whole number from ${least} to ${most}, and is ${value}`);
}
