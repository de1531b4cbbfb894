import type { Feed, FeedEvent } from '#log';
import { type KafkaPort, type Log, type PartitionProducer, ProducerLost } from './broker.port.js';
import { HeldLease, type LeaseHolder } from './held-lease.js';
import { toRecord } from './record.js';
import { RelayStopped, resumeAfter, stopIfArchived } from './resume.js';
import { inBatches, sendUntilAnswered } from './sending.js';
import { Interrupted, orInterrupted, pause, untilDone } from './waiting.js';

/**
 * `standby`: another relay has the partition, or this one waits to get it. `relaying`: Kafka has all that
 * there is. `behind`: events wait for Kafka. `stopped`: a person is needed; `why` says what to do.
 */
export type RelayState = 'standby' | 'relaying' | 'behind' | 'stopped';

export interface PartitionStatus {
  partition: number;
  state: RelayState;
  /** The last sequence that Kafka is known to have; 0 before that is known. */
  sent: number;
  /** The highest sequence seen in the log. */
  head?: number;
  /** What is wrong, for the operator. */
  why?: string;
}

/** For metrics. Must not throw. */
export interface RelayHooks {
  /** Kafka acknowledged `count` events of the partition. */
  onSent?(partition: number, count: number): void;
  /** A batch got no answer and is sent again. */
  onResend?(partition: number): void;
  onError?(partition: number, error: Error): void;
}

export interface PartitionRelayOptions extends LeaseHolder {
  feed: Feed;
  kafka: KafkaPort;
  topic: string;
  /** Events in one batch, 1 to 500. */
  maxRecords: number;
  /** Bytes in one batch; known once the topic has been looked at. */
  maxBytes(): number;
  log: Log;
  hooks: RelayHooks;
}

const IDLE_MS = 5_000;
const LEASE_END_MS = 1_000;

/** Mirrors one partition while it can have the lease. */
export class PartitionRelay {
  readonly #at: PartitionRelayOptions;
  readonly #partition: number;
  #status: PartitionStatus;

  constructor(at: PartitionRelayOptions, partition: number) {
    this.#at = at;
    this.#partition = partition;
    this.#status = { partition, state: 'standby', sent: 0 };
  }

  status(): PartitionStatus {
    return { ...this.#status };
  }

  /** Says that a person is needed, and why. */
  halt(why: string): void {
    this.#set('stopped', why);
  }

  /**
   * Until `stop` fires or the partition is stopped for good. `cut` fires when even an open send must be given
   * up. Never rejects.
   */
  async run(stop: AbortSignal, cut: AbortSignal): Promise<void> {
    while (!stop.aborted && !this.#stopped()) {
      const lease = await this.#acquire();
      if (lease) await this.#hold(lease, stop, cut);
      // A third of the lease, a little apart from the other relays: soon enough to take over from a dead one.
      const wait = (this.#at.leaseSeconds * 1000 * (0.5 + Math.random())) / 3;
      if (!this.#stopped()) await pause(wait, stop);
    }
  }

  #stopped(): boolean {
    return this.#status.state === 'stopped';
  }

  async #acquire(): Promise<HeldLease | undefined> {
    try {
      const lease = await HeldLease.acquire(this.#at, this.#partition);
      if (!lease) this.#set('standby');
      return lease;
    } catch (error) {
      this.#failed('standby', 'the relay lease cannot be asked for', error);
      return undefined;
    }
  }

  async #hold(lease: HeldLease, stop: AbortSignal, cut: AbortSignal): Promise<void> {
    const over = AbortSignal.any([lease.signal, cut]);
    let answered = true;
    try {
      while (!stop.aborted) {
        const producer = await this.#opened(AbortSignal.any([over, stop]));
        try {
          await this.#mirror(lease, producer, stop, over, (known) => {
            answered = known;
          });
        } catch (error) {
          if (!(error instanceof ProducerLost)) throw error;
          this.#failed('behind', 'a fresh producer is needed', error);
          await pause(100, over);
        } finally {
          await producer.close();
        }
      }
    } catch (error) {
      this.#ended(error);
    } finally {
      await lease.end(answered, LEASE_END_MS);
    }
  }

  #ended(error: unknown): void {
    if (error instanceof RelayStopped) {
      this.#at.log('error', `relay: partition ${this.#partition} stopped. ${error.message}`);
      this.halt(error.message);
    } else if (error instanceof Interrupted) {
      this.#set('standby');
    } else {
      this.#failed('standby', 'the relay broke off and will try again', error);
    }
  }

  #opened(signal: AbortSignal): Promise<PartitionProducer> {
    const { kafka, topic } = this.#at;
    // One that opens after the interruption is closed again: nobody else would.
    const open = async () => {
      const producer = await kafka.producer(topic, this.#partition);
      if (signal.aborted) await producer.close();
      return producer;
    };
    return untilDone(open, signal, (error) => this.#failed('behind', 'Kafka cannot be reached', error));
  }

  /** Reads, sends and waits until something ends it: by throwing, or by returning when asked to stop. */
  async #mirror(
    lease: HeldLease,
    producer: PartitionProducer,
    stop: AbortSignal,
    over: AbortSignal,
    answered: (known: boolean) => void,
  ): Promise<void> {
    const signal = AbortSignal.any([over, stop]);
    let after = await this.#resume(lease, signal);
    answered(true);
    while (!stop.aborted) {
      const events = await this.#read(after, signal);
      for (const batch of inBatches(events, this.#at.maxBytes())) {
        if (stop.aborted) return;
        answered(false);
        await this.#send(producer, batch, lease, over, signal);
        answered(true);
        after = batch.at(-1)!.sequence;
        this.#sent(lease, after, batch.length);
      }
      if (events.length === this.#at.maxRecords) continue;
      // A page that is not full ends the log: reading again would ask the database for nothing.
      this.#set('relaying');
      await orInterrupted(this.#at.feed.changed(this.#partition, after, IDLE_MS), signal);
    }
  }

  async #resume(lease: HeldLease, signal: AbortSignal): Promise<number> {
    const { kafka, feed, topic } = this.#at;
    const confirmed = lease.known;
    const look = () => resumeAfter({ kafka, feed, topic, partition: this.#partition, confirmed });
    const after = await untilDone(look, signal, (error) => {
      if (error instanceof RelayStopped) throw error;
      this.#failed('behind', 'the end of the Kafka partition cannot be read', error);
    });
    this.#sent(lease, after, 0);
    return after;
  }

  async #read(after: number, signal: AbortSignal): Promise<FeedEvent[]> {
    const { feed, maxRecords } = this.#at;
    const read = () => feed.read(this.#partition, after, maxRecords);
    const events = await untilDone(read, signal, (error) => {
      stopIfArchived(error, this.#partition);
      this.#failed('behind', 'the log cannot be read', error);
    });
    for (const [index, { sequence }] of events.entries()) {
      if (sequence === after + 1 + index) continue;
      throw new RelayStopped(
        `The log of partition ${this.#partition} has no event ${after + 1 + index}: after ${after + index} ` +
          `comes ${sequence}. Nothing further is sent. Run an audit of the ledger, and restore what is missing.`,
      );
    }
    if (events.length === maxRecords) this.#set('behind');
    this.#status.head = Math.max(this.#status.head ?? 0, events.at(-1)?.sequence ?? after);
    return events;
  }

  #send(
    producer: PartitionProducer,
    batch: FeedEvent[],
    lease: HeldLease,
    cut: AbortSignal,
    stop: AbortSignal,
  ): Promise<void> {
    return sendUntilAnswered(producer, batch.map(toRecord), {
      cut,
      stop,
      mayGoOn: () => lease.surelyHeld(),
      onFailure: (error) => {
        this.#failed('behind', 'Kafka did not acknowledge, the batch is sent again', error);
        this.#at.hooks.onResend?.(this.#partition);
      },
    });
  }

  #sent(lease: HeldLease, sequence: number, count: number): void {
    lease.reached(sequence);
    this.#status.sent = sequence;
    if (count > 0) this.#at.hooks.onSent?.(this.#partition, count);
  }

  /** Said once for each new reason, not at every attempt. */
  #failed(state: RelayState, what: string, error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    const why = `${what}: ${cause.message}`;
    if (why !== this.#status.why) this.#at.log('warn', `relay: partition ${this.#partition}: ${why}`);
    this.#at.hooks.onError?.(this.#partition, cause);
    this.#set(state, why);
  }

  #set(state: RelayState, why?: string): void {
    const { partition, sent, head } = this.#status;
    this.#status = { partition, state, sent, ...(head && { head }), ...(why && { why }) };
  }
}
