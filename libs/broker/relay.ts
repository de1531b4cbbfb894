import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { Feed, RelayLeases } from '#log';
import type { KafkaPort, Log } from './broker.port.js';
import { PartitionRelay, type PartitionStatus, type RelayHooks, type RelayState } from './partition-relay.js';
import { EVENTS_TOPIC, ensureTopic, TopicMismatch } from './topic.js';
import { Interrupted, untilDone, withDeadline } from './waiting.js';

export interface RelayOptions {
  feed: Feed;
  leases: RelayLeases;
  /** Closed by whoever opened it, after `stop()`. */
  kafka: KafkaPort;
  /** `session-ledger.events.v1` unless set. */
  topic?: string;
  /** Copies of each partition when the topic is created: min(3, brokers) unless set. */
  replicationFactor?: number;
  /** Names this relay in the leases; unique by itself unless set. */
  holder?: string;
  /** How long a dead relay's partitions wait for another: 1 to 300, 10 unless set. */
  leaseSeconds?: number;
  /** Events in one batch: 1 to 500, 500 unless set. */
  maxRecords?: number;
  log?: Log;
  hooks?: RelayHooks;
}

export interface RelayStatus {
  /** The worst of the partitions: stopped, then behind, then standby, then relaying. */
  state: RelayState;
  partitions: PartitionStatus[];
}

const MOST_RECORDS = 500;
/** Below what Kafka takes in one batch by default (1,048,588), whatever the topic allows beyond it. */
const MOST_BYTES = 1_000_000;
/** Of what the topic takes, left for what sizeOf() does not count. */
const FRAMING_BYTES = 4_096;
const WORST_FIRST: RelayState[] = ['stopped', 'behind', 'standby', 'relaying'];

/**
 * Mirrors the log into Kafka: each partition one-to-one and in order, by one relay at a time. Kafka or the
 * database being away only makes it wait. Several may run at once: each tries to get every partition, and
 * the leases decide.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #partitions: PartitionRelay[];
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #log: Log;
  #batchBytes = MOST_BYTES;
  #waiting: string | undefined;
  #running: Promise<unknown> | undefined;

  constructor(options: RelayOptions) {
    const { leaseSeconds = 10, maxRecords = MOST_RECORDS, log = () => {} } = options;
    if (!(leaseSeconds >= 1 && leaseSeconds <= 300)) throw new RangeError('leaseSeconds: 1 to 300');
    if (!(maxRecords >= 1 && maxRecords <= MOST_RECORDS)) throw new RangeError('maxRecords: 1 to 500');
    const { feed, leases, kafka, hooks = {}, topic = EVENTS_TOPIC } = options;
    const holder = options.holder ?? `${hostname()}:${process.pid}:${randomUUID()}`;
    const maxBytes = () => this.#batchBytes;
    const at = { feed, leases, kafka, hooks, topic, holder, leaseSeconds, maxRecords, maxBytes, log };
    this.#options = options;
    this.#log = log;
    // Each partition may wait for either; more than Node expects of one signal.
    setMaxListeners(2 * feed.partitions, this.#stop.signal, this.#cut.signal);
    this.#partitions = Array.from({ length: feed.partitions }, (_, each) => new PartitionRelay(at, each));
  }

  /** Returns at once and never throws: what Kafka does or does not is in `status()`. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Lets open sends finish, gives the leases back and resolves after at most `ms`. A lease whose last batch
   * got no answer is left to run out, because Kafka may still take that batch. Never rejects.
   */
  async stop(ms = 5_000): Promise<void> {
    this.#stop.abort();
    const cut = setTimeout(() => this.#cut.abort(), ms * 0.6);
    try {
      await withDeadline(this.#running ?? Promise.resolve(), ms, 'the relay did not stop');
    } catch (error) {
      this.#log('warn', `relay: ${error instanceof Error ? error.message : error}; its leases run out`);
    } finally {
      clearTimeout(cut);
      this.#cut.abort();
    }
  }

  status(): RelayStatus {
    const partitions = this.#partitions.map((each): PartitionStatus => {
      const status = each.status();
      if (!this.#waiting || status.state === 'stopped') return status;
      return { ...status, state: 'behind', why: this.#waiting };
    });
    const state = WORST_FIRST.find((each) => partitions.some((one) => one.state === each)) ?? 'relaying';
    return { state, partitions };
  }

  async #run(): Promise<void> {
    try {
      await this.#prepareTopic();
      await Promise.all(this.#partitions.map((each) => each.run(this.#stop.signal, this.#cut.signal)));
    } catch (error) {
      if (error instanceof Interrupted) return;
      const why = error instanceof Error ? error.message : String(error);
      this.#log('error', `relay: not started. ${why}`);
      for (const each of this.#partitions) each.halt(why);
    }
  }

  async #prepareTopic(): Promise<void> {
    const { kafka, topic = EVENTS_TOPIC, replicationFactor, feed } = this.#options;
    const ensure = () => ensureTopic(kafka, { topic, partitions: feed.partitions, replicationFactor });
    this.#waiting = 'Kafka has not answered yet';
    const { maxBatchBytes } = await untilDone(ensure, this.#stop.signal, (error, failures) => {
      this.#waiting = `Kafka cannot be reached: ${error.message}`;
      if (error instanceof TopicMismatch) throw error;
      if (failures === 1) this.#log('warn', `relay: ${this.#waiting}; it is tried until it answers`);
    });
    this.#waiting = undefined;
    this.#batchBytes = Math.max(1, Math.min(MOST_BYTES, maxBatchBytes - FRAMING_BYTES));
  }
}
