import { randomUUID } from 'node:crypto';
import type { KafkaPort, KafkaRecord, Log, PartitionsConsumer } from './broker.port.js';
import { openKafka } from './kafkajs.js';
import type { KafkaOptions } from './kafkajs-client.js';
import { Progress } from './progress.js';
import type { LedgerRecord } from './record.js';
import { backoffMs, Interrupted, orInterrupted, pause, withDeadline } from './waiting.js';

/** A consumer that lived this long was no failure in a row. */
const HEALTHY_MS = 60_000;
const CLOSE_MS = 3_000;

/** Events that the partition should hold and does not: after `after` came `found`. */
export interface Gap {
  partition: number;
  after: number;
  found: number;
}

/** The last sequence already handled, by partition. A partition that is not in the map begins at its first event. */
export type Positions = ReadonlyMap<number, number>;

export interface FollowOptions extends KafkaOptions {
  topic: string;
  /** Members of a group share the partitions and go on where the group stood. Without: all partitions, alone. */
  groupId?: string;
  /** Where to begin; for a group only where it has not been before. */
  from: 'beginning' | 'end' | Positions;
  /**
   * Events of one partition, in order, each sequence once. The next ones of that partition wait for it. When
   * it rejects they are delivered again: handle an event twice as once.
   */
  onEvents(events: LedgerRecord[]): Promise<void> | void;
  /** Required, so that nobody misses it: events are missing. What was found is delivered next. */
  onGap(gap: Gap): void;
  /** Milliseconds without progress, while Kafka has more, until the consumer is replaced: 30,000 unless set. */
  stuckAfterMs?: number;
}

/** A running follower. */
export interface Follower {
  /** Resolves when the first consumer has joined: with `from: 'end'`, later events are delivered. Never rejects. */
  readonly ready: Promise<void>;
  /** The last sequence handled, by partition. */
  positions(): Map<number, number>;
  /** Resolves, within seconds, when no further call of `onEvents` will begin. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Follows the events topic, for as long as it is not stopped: a consumer that dies or gets stuck is replaced.
 * Returns at once; Kafka being away only makes it wait.
 */
export function followKafka(options: FollowOptions): Follower {
  return new TopicFollower(openKafka(options), options);
}

class TopicFollower implements Follower {
  readonly ready: Promise<void>;
  readonly #kafka: KafkaPort;
  readonly #options: FollowOptions;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #progress: Progress;
  readonly #running: Promise<void>;
  #joined = () => {};

  constructor(kafka: KafkaPort, options: FollowOptions) {
    this.#kafka = kafka;
    this.#options = options;
    this.#log = options.log ?? (() => {});
    this.#progress = new Progress(options);
    this.ready = new Promise((resolve) => {
      this.#joined = resolve;
    });
    this.#running = this.#run();
  }

  positions(): Map<number, number> {
    return this.#progress.positions();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#joined();
    await this.#kafka.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures++) {
      const begun = performance.now();
      try {
        await this.#follow(signal);
      } catch (error) {
        if (error instanceof Interrupted) return;
        const why = error instanceof Error ? error.message : String(error);
        this.#log('warn', `follower of ${this.#options.topic}: ${why}; a new consumer begins where it stood`);
      }
      if (performance.now() - begun > HEALTHY_MS) failures = 0;
      await pause(backoffMs(failures), signal);
    }
  }

  /** One consumer's life. Rejects with what ended it. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { topic, groupId } = this.#options;
    const from = await orInterrupted(this.#progress.startOffsets(this.#kafka), signal);
    let died: (error: Error) => void = () => {};
    const death = new Promise<never>((_, reject) => {
      died = reject;
    });
    const opening = this.#kafka.consumer({
      topic,
      // Alone, a new name each time: the broker would wait for the dead member of an old one.
      groupId: groupId ?? `session-ledger-follow-${randomUUID()}`,
      commits: groupId !== undefined,
      from,
      onRecords: (records) => this.#take(records, signal),
      onDead: died,
    });
    try {
      const consumer = await orInterrupted(Promise.race([opening, death]), signal);
      this.#joined();
      await orInterrupted(Promise.race([death, this.#watch(consumer, signal)]), signal);
    } finally {
      // Also one that opens only now: nobody else would close it.
      const closed = opening.then((consumer) => consumer.close());
      await withDeadline(closed, CLOSE_MS, 'slow close').catch(() => undefined);
    }
  }

  async #take(records: KafkaRecord[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new Interrupted('interrupted');
    await this.#progress.take(records);
  }

  /** kafkajs's consumer can stop fetching without a word (kafkajs#659): rejects when that seems so. */
  async #watch(consumer: PartitionsConsumer, signal: AbortSignal): Promise<never> {
    const stuckAfterMs = this.#options.stuckAfterMs ?? 30_000;
    for (;;) {
      await pause(stuckAfterMs / 3, signal);
      if (signal.aborted) throw new Interrupted('interrupted');
      const bounds = await this.#kafka.bounds(this.#options.topic);
      const stuck = this.#progress.stuckAt(bounds, consumer.assigned(), stuckAfterMs);
      if (stuck !== undefined) throw new Error(`nothing came from partition ${stuck} for ${stuckAfterMs} ms`);
    }
  }
}
