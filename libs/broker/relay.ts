import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { Feed, RelayLeases } from '#log';
import { pause, untilDone, withDeadline } from '#waiting';
import type { KafkaPort, Log } from './broker.port.js';
import { PartitionRelay } from './partition-relay.js';
import type { PartitionStatus, RelayHooks, RelayState } from './partition-status.js';
import { BACKOFF, Interrupted, RelayStopped, type StopCode } from './stopped.js';
import { EVENTS_TOPIC, type TopicWarning } from './topic.js';
import { TopicWatch } from './topic-watch.js';

export interface RelayOptions {
  feed: Feed;
  leases: RelayLeases;
  /** Closed by whoever opened it, after `stop()`. */
  kafka: KafkaPort;
  /** `session-ledger.events.v1` unless set. */
  topic?: string;
  /** Copies wanted of each partition: min(3, brokers) unless set. Fewer brokers than that are waited for. */
  replicationFactor?: number | undefined;
  /** Brokers that the configuration names: while fewer are there, the cluster is still starting. */
  listedBrokers?: number;
  /** Names this relay in the leases; unique by itself unless set. */
  holder?: string;
  /** How long a dead relay's partitions wait for another: 1 to 300, 10 unless set. */
  leaseSeconds?: number;
  /** Events in one batch: 1 to 500, 500 unless set. */
  maxRecords?: number;
  /**
   * How long what is stopped waits until it looks whether it can go on, and how long a topic that was deleted is
   * left absent before it is made again, in milliseconds: 15,000 unless set.
   */
  lookAgainMs?: number;
  /** How often a partition that has nothing to send looks at its topic, in milliseconds: 5,000 unless set. */
  idleMs?: number;
  /**
   * How often it looks at the topic's settings and at the beginnings of its partitions, in milliseconds: 60,000
   * unless set.
   */
  checkMs?: number;
  log?: Log;
  hooks?: RelayHooks;
}

export interface RelayStatus {
  /** The worst of the partitions that this relay has: stopped, then behind, then relaying. `standby`: it has none. */
  state: RelayState;
  /** How many partitions are in each state. */
  counts: Record<RelayState, number>;
  partitions: PartitionStatus[];
  /** What could be better about the topic. */
  warnings: TopicWarning[];
}

const MOST_RECORDS = 500;
const LOOK_AGAIN_MS = 15_000;
const IDLE_MS = 5_000;
const CHECK_MS = 60_000;
const WORST_FIRST: RelayState[] = ['stopped', 'behind', 'relaying', 'standby'];

/**
 * Mirrors the log into Kafka: each partition one-to-one and in order, by one relay at a time. Kafka or the
 * database being away only makes it wait. Several may run at once: each tries to get every partition, and
 * the leases decide.
 */
export class Relay {
  readonly #partitions: PartitionRelay[];
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #log: Log;
  readonly #watch: TopicWatch;
  readonly #lookAgainMs: number;
  /** What all partitions wait for. */
  #waiting: Pick<PartitionStatus, 'state' | 'why' | 'code'> | undefined;
  #told: string | undefined;
  #running: Promise<unknown> | undefined;

  constructor(options: RelayOptions) {
    const { leaseSeconds = 10, maxRecords = MOST_RECORDS, lookAgainMs = LOOK_AGAIN_MS } = options;
    if (!(leaseSeconds >= 1 && leaseSeconds <= 300)) throw new RangeError('leaseSeconds: 1 to 300');
    if (!(maxRecords >= 1 && maxRecords <= MOST_RECORDS)) throw new RangeError('maxRecords: 1 to 500');
    const { feed, kafka, topic = EVENTS_TOPIC, hooks = {}, log = () => {} } = options;
    const { idleMs = IDLE_MS, checkMs = CHECK_MS } = options;
    const holder = options.holder ?? `${hostname()}:${process.pid}:${randomUUID()}`;
    const wanted = { ...options, topic, partitions: feed.partitions };
    const watch = new TopicWatch(kafka, { ...wanted, leaveAbsentMs: lookAgainMs, checkMs, log });
    const lasting = { leaseSeconds, maxRecords, lookAgainMs, idleMs };
    const at = { ...options, ...lasting, topic, watch, holder, hooks, log };
    this.#log = log;
    this.#watch = watch;
    this.#lookAgainMs = lookAgainMs;
    // Each partition may wait for either; more than Node expects of one signal.
    setMaxListeners(2 * feed.partitions, this.#stop.signal, this.#cut.signal);
    this.#partitions = Array.from({ length: feed.partitions }, (_, each) => new PartitionRelay(at, each));
  }

  /** Returns at once and never throws: what Kafka does or does not is in `status()`. */
  start(): void {
    if (!this.#stop.signal.aborted) this.#running ??= this.#run();
  }

  /**
   * Lets open sends finish, gives the leases back and resolves after at most `ms`. A lease whose last batch
   * got no answer is left to run out, because Kafka may still take that batch. Never rejects.
   */
  async stop(ms = 5_000): Promise<void> {
    this.#stop.abort(new Interrupted('the relay stops'));
    const cutOff = () => this.#cut.abort(new Interrupted('the relay has to stop'));
    const cut = setTimeout(cutOff, ms * 0.6);
    try {
      await withDeadline(this.#running ?? Promise.resolve(), ms, 'the relay did not stop');
    } catch (error) {
      this.#log('warn', `relay: ${error instanceof Error ? error.message : error}; its leases run out`);
    } finally {
      clearTimeout(cut);
      cutOff();
    }
  }

  status(): RelayStatus {
    const partitions = this.#partitions.map((each) => ({ ...each.status(), ...this.#waiting }));
    const counts = { standby: 0, relaying: 0, behind: 0, stopped: 0 };
    for (const { state } of partitions) counts[state]++;
    const state = WORST_FIRST.find((each) => counts[each] > 0) ?? 'standby';
    return { state, counts, partitions, warnings: this.#watch.warnings };
  }

  async #run(): Promise<void> {
    try {
      await this.#prepareTopic();
      await Promise.all(this.#partitions.map((each) => each.run(this.#stop.signal, this.#cut.signal)));
    } catch (error) {
      if (!(error instanceof Interrupted)) this.#log('error', `relay: ended unexpectedly: ${error}`);
    }
    await this.#watch.settled();
  }

  /** Until there is a topic that can be written; no lease is taken before. */
  async #prepareTopic(): Promise<void> {
    this.#waiting = { state: 'behind', why: 'Kafka has not answered yet' };
    while (!(await this.#topicIsFit())) await pause(this.#lookAgainMs, this.#stop.signal);
    this.#waiting = undefined;
  }

  async #topicIsFit(): Promise<boolean> {
    try {
      await untilDone(
        () => this.#watch.look(0),
        this.#stop.signal,
        (error) => {
          if (error instanceof RelayStopped) throw error;
          this.#wait('warn', 'behind', `Kafka cannot be used: ${error.message}`);
        },
        BACKOFF,
      );
      return true;
    } catch (error) {
      if (!(error instanceof RelayStopped)) throw error;
      this.#wait('error', 'stopped', error.message, error.code);
      return false;
    }
  }

  /** Says what is wrong once, not at every attempt. */
  #wait(level: 'warn' | 'error', state: RelayState, why: string, code?: StopCode): void {
    const kind = code ? why : state;
    if (kind !== this.#told) this.#log(level, `relay: not started yet. ${why}`);
    this.#told = kind;
    this.#waiting = { state, why, ...(code && { code }) };
  }
}
