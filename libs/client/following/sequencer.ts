import { now } from '../clock.js';
import { FollowerStopped } from './event-source.js';
import type { FollowedEvent } from './followed-event.js';
import type { Handler } from './handler.js';

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
  /** How often the source gave nothing of what the ledger had. */
  stalls: number;
  /** Read from the feed in place of the source. */
  healed: number;
  connections: number;
}

export interface SequencerOptions {
  /** How far was handled, by partition; it moves on. */
  positions: number[];
  counts: FollowerCounts;
  handler: Handler;
  /** A page of a partition's events after a sequence. */
  feed(partition: number, after: number, limit: number): Promise<FollowedEvent[]>;
  /** Throws FollowerStopped for an event of another ledger. */
  checkLedger(source: string): void;
  onTrouble(error: unknown): void;
  unknown: 'hand-on' | 'skip';
  maxBatch: number;
  signal: AbortSignal;
}

const PAGE = 500;

/** Hands on each partition's events once and in order: drops what comes again, reads from the feed what is missing. */
export class Sequencer {
  readonly #options: SequencerOptions;
  #turn: Promise<unknown> = Promise.resolve();
  #busyMs = 0;
  #busySince: number | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** Milliseconds that handling and healing took so far. */
  get busyMs(): number {
    return this.#busyMs + (this.#busySince === undefined ? 0 : now() - this.#busySince);
  }

  /** Events of any partitions, each partition's in order. What a connection gives that was given up is refused. */
  take(events: readonly FollowedEvent[], connection: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      connection.throwIfAborted();
      const byPartition = new Map<number, FollowedEvent[]>();
      for (const event of events) {
        this.#options.checkLedger(event.document.source);
        const others = byPartition.get(event.partition);
        if (others) others.push(event);
        else byPartition.set(event.partition, [event]);
      }
      for (const [partition, group] of byPartition) await this.#takeInOrder(partition, group);
    });
  }

  /** Reads a partition from the feed, up to a sequence that the ledger is known to have. */
  catchUp(partition: number, upTo: number): Promise<void> {
    return this.#inTurn(() => this.#readOn(partition, upTo));
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  /** One at a time: what an abandoned connection still hands over does not run beside the next one. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(async () => {
      this.#options.signal.throwIfAborted();
      const since = now();
      this.#busySince = since;
      try {
        await work();
      } finally {
        this.#busySince = undefined;
        this.#busyMs += now() - since;
      }
    });
    this.#turn = done.catch(() => {}); // whoever asked for it is told
    return done;
  }

  async #takeInOrder(partition: number, events: readonly FollowedEvent[]): Promise<void> {
    const { positions, counts, onTrouble } = this.#options;
    let last = positions[partition];
    if (last === undefined) {
      throw new FollowerStopped(
        'partitions-changed',
        `an event of partition ${partition}, of ${positions.length}`,
      );
    }
    let fresh: FollowedEvent[] = [];
    for (const event of events) {
      if (event.sequence <= last) {
        counts.repeated += 1;
        continue;
      }
      if (event.sequence > last + 1) {
        await this.#handle(partition, fresh);
        fresh = [];
        counts.gaps += 1;
        onTrouble(new Gap(partition, last, event.sequence));
        // Nothing is delivered beyond a gap before the feed has filled it.
        await this.#readOn(partition, event.sequence - 1);
      }
      fresh.push(event);
      last = event.sequence;
    }
    await this.#handle(partition, fresh);
  }

  async #readOn(partition: number, upTo: number): Promise<void> {
    const { positions, counts, feed, checkLedger } = this.#options;
    for (let after = positions[partition] as number; after < upTo; ) {
      const events = await feed(partition, after, Math.min(PAGE, upTo - after));
      for (const { document } of events) checkLedger(document.source);
      const isDense =
        events.length > 0 && events.every(({ sequence }, index) => sequence === after + 1 + index);
      if (!isDense) {
        throw new FollowerStopped('events-missing', `the feed has no event ${partition}:${after + 1}`);
      }
      await this.#handle(partition, events);
      counts.healed += events.length;
      after += events.length;
    }
  }

  async #handle(partition: number, events: readonly FollowedEvent[]): Promise<void> {
    const { positions, counts, handler, unknown, maxBatch, signal } = this.#options;
    for (let at = 0; at < events.length; at += maxBatch) {
      signal.throwIfAborted();
      const batch = events.slice(at, at + maxBatch);
      const sequence = batch.at(-1)?.sequence as number;
      const shown = unknown === 'skip' ? batch.filter(({ type }) => type !== 'unknown') : batch;
      if (shown.length > 0) await handler.call(shown, partition, sequence);
      positions[partition] = sequence;
      counts.handled += shown.length;
    }
  }
}
