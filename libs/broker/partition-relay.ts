import type { Feed, FeedEvent } from '#log';
import { orAborted, rest, untilDone } from '#waiting';
import { type KafkaPort, type Log, LookAgain, type PartitionProducer } from './broker.port.js';
import { HeldLease, type LeaseHolder } from './held-lease.js';
import { type PartitionStatus, type RelayHooks, RelayReport } from './partition-status.js';
import { toRecord } from './record.js';
import { lostUnder, orArchived, type ResumePlace, resumeAfter } from './resume.js';
import { inBatches, sendUntilAnswered } from './sending.js';
import { BACKOFF, Interrupted, RelayStopped } from './stopped.js';
import type { TopicWatch } from './topic-watch.js';

export interface PartitionRelayOptions extends LeaseHolder {
  feed: Feed;
  kafka: KafkaPort;
  topic: string;
  watch: TopicWatch;
  /** Events in one batch, 1 to 500. */
  maxRecords: number;
  /** How often an idle partition looks at its topic, in milliseconds. */
  idleMs: number;
  /** How long a stopped partition waits until it looks whether it can go on, in milliseconds. */
  lookAgainMs: number;
  log: Log;
  hooks: RelayHooks;
}

/** What the relay knows of the partition; what it sends is right only while that stands. */
interface Ground extends ResumePlace {
  topicId: string | undefined;
  /** Of the log, as its feed tells. */
  history: number;
  maxBatchBytes: number;
}

const LEASE_END_MS = 1_000;
/**
 * How old a look at the topic may be when a batch is sent. A topic that is deleted and made again within it may get
 * one batch that does not belong there; its offset tells.
 */
const RECENT_MS = 200;
/** After an error the look has to be later than that: less than the shortest pause before the next attempt. */
const JUST_NOW_MS = 20;
/** Below what Kafka takes in one batch by default (1,048,588), whatever the topic allows beyond it. */
const MOST_BYTES = 1_000_000;
/** Of what the topic takes, left for what sizeOf() does not count. */
const FRAMING_BYTES = 4_096;

/** Mirrors one partition while it can have the lease. */
export class PartitionRelay {
  readonly #at: PartitionRelayOptions;
  readonly #partition: number;
  readonly #report: RelayReport;

  constructor(at: PartitionRelayOptions, partition: number) {
    this.#at = at;
    this.#partition = partition;
    this.#report = new RelayReport(at, partition);
  }

  status(): PartitionStatus {
    return this.#report.status();
  }

  /**
   * Until `stop` fires. A partition that is stopped looks again now and then, so that it goes on without a restart
   * when a person has done what it asks for. `cut` fires when even an open send must be given up. Never rejects.
   */
  async run(stop: AbortSignal, cut: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const lease = await this.#acquire();
      if (lease) await this.#hold(lease, stop, cut);
      if (this.#report.stopped) await this.#restStopped(stop);
      else await rest(this.#betweenAsks(), stop);
    }
  }

  /** A third of the lease, a little apart from the other relays: soon enough to take over from a dead one. */
  #betweenAsks(): number {
    return ((this.#at.leaseSeconds * 1000) / 3) * (0.5 + Math.random());
  }

  /**
   * Until it is time to look again, or another relay has the partition: under the same lease at two looks, because
   * one that is stopped, too, has it only while it looks whether it can go on.
   */
  async #restStopped(stop: AbortSignal): Promise<void> {
    const { leases, holder, lookAgainMs } = this.#at;
    const until = performance.now() + lookAgainMs * (0.5 + Math.random());
    let before: number | undefined;
    for (let left = lookAgainMs; left > 0 && !stop.aborted; left = until - performance.now()) {
      await rest(Math.min(until - performance.now(), this.#betweenAsks()), stop);
      const epoch = await leases
        .heldByAnother(this.#partition, holder)
        .catch((error) => this.#notAsked(error));
      if (epoch !== undefined && epoch === before) return this.#report.takenOver();
      before = epoch;
    }
  }

  async #acquire(): Promise<HeldLease | undefined> {
    try {
      const lease = await HeldLease.acquire(this.#at, this.#partition);
      if (lease) this.#report.well();
      else this.#report.refused();
      return lease;
    } catch (error) {
      return this.#notAsked(error);
    }
  }

  #notAsked(error: unknown): undefined {
    this.#report.failed('standby', 'the relay lease cannot be asked for', error);
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
          if (!(error instanceof LookAgain)) throw error;
          this.#report.failed('behind', 'the end of the Kafka partition is looked at again', error);
          await rest(100, over);
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
    if (error instanceof RelayStopped) this.#report.stop(error);
    else if (error instanceof Interrupted) this.#report.set('standby');
    else this.#report.failed('standby', 'the relay broke off and will try again', error);
  }

  #opened(signal: AbortSignal): Promise<PartitionProducer> {
    const { kafka, topic } = this.#at;
    // One that opens after the interruption is closed again: nobody else would.
    const open = async () => {
      const producer = await kafka.producer(topic, this.#partition);
      if (signal.aborted) await producer.close();
      return producer;
    };
    return this.#until('Kafka cannot be reached', open, signal);
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
    const ground = await this.#resume(lease, signal);
    answered(true);
    while (!stop.aborted) {
      const events = await this.#read(ground.after, signal);
      for (const batch of inBatches(events, ground.maxBatchBytes)) {
        if (stop.aborted) return;
        const begins = () => answered(false);
        const offset = await this.#send(producer, batch, { ground, lease, begins }, over, signal);
        answered(true);
        await this.#landed(batch, offset, ground);
        this.#report.well();
        this.#sent(lease, ground.after, batch.length);
      }
      if (events.length === this.#at.maxRecords) continue;
      if (events.length === 0) await this.#lookNow(ground, signal);
      // A page that is not full ends the log: reading again would ask the database for nothing.
      this.#report.set('relaying');
      await orAborted(this.#at.feed.changed(this.#partition, ground.after, this.#at.idleMs), signal);
    }
  }

  async #resume(lease: HeldLease, signal: AbortSignal): Promise<Ground> {
    const { kafka, feed, topic, watch } = this.#at;
    const confirmed = lease.known;
    // In this order: what changes in between is noticed before the first send.
    const look = async (): Promise<Ground> => {
      const { history } = feed;
      const { id: topicId, maxBatchBytes } = await watch.look(JUST_NOW_MS);
      const place = await resumeAfter({ kafka, feed, topic, partition: this.#partition, confirmed });
      const most = Math.max(1, Math.min(MOST_BYTES, maxBatchBytes - FRAMING_BYTES));
      return { ...place, topicId, history, maxBatchBytes: most };
    };
    const ground = await this.#until('the end of the Kafka partition cannot be read', look, signal);
    if (ground.after < confirmed) await this.#startOver(lease, confirmed);
    this.#report.resumed();
    this.#sent(lease, ground.after, 0);
    return ground;
  }

  async #startOver(lease: HeldLease, confirmed: number): Promise<void> {
    const { log, topic } = this.#at;
    await lease.startOver();
    const what = `Kafka topic ${topic}, partition ${this.#partition} is empty and new, but had confirmed ${confirmed} events`;
    log('warn', `relay: ${what}: it was deleted and made again. Everything is sent again from 1`);
  }

  async #read(after: number, signal: AbortSignal): Promise<FeedEvent[]> {
    const { feed, maxRecords } = this.#at;
    const read = () => orArchived(feed.read(this.#partition, after, maxRecords), this.#partition);
    const events = await this.#until('the log cannot be read', read, signal);
    for (const [index, { sequence }] of events.entries()) {
      if (sequence === after + 1 + index) continue;
      throw new RelayStopped(
        'log-hole',
        `The log of partition ${this.#partition} has no event ${after + 1 + index}: after ${after + index} ` +
          `comes ${sequence}. Nothing further is sent. Run an audit of the ledger, and restore what is missing.`,
      );
    }
    if (events.length === maxRecords) this.#report.set('behind');
    this.#report.read(events.at(-1)?.sequence ?? after);
    return events;
  }

  #send(
    producer: PartitionProducer,
    batch: FeedEvent[],
    { ground, lease, begins }: { ground: Ground; lease: HeldLease; begins(): void },
    cut: AbortSignal,
    stop: AbortSignal,
  ): Promise<number> {
    return sendUntilAnswered(producer, batch.map(toRecord), {
      cut,
      stop,
      beforeAttempt: async (failures) => {
        await this.#stands(ground, failures === 0 ? RECENT_MS : JUST_NOW_MS);
        if (!lease.surelyHeld()) throw new Interrupted('the lease is over');
        begins();
      },
      onFailure: (error) => {
        this.#report.failed('behind', 'Kafka did not acknowledge, the batch is sent again', error);
        this.#at.hooks.onResend?.(this.#partition);
      },
    });
  }

  /** An idle partition would not notice otherwise, and who looks at its health would not either. */
  #lookNow(ground: Ground, signal: AbortSignal): Promise<void> {
    return this.#until('Kafka cannot be reached', () => this.#stands(ground, this.#at.idleMs), signal);
  }

  /** Throws LookAgain when the topic or the log is not the one that was looked at. */
  async #stands({ topicId, history }: Ground, maxAgeMs: number): Promise<void> {
    const { watch, feed } = this.#at;
    const { id } = await watch.look(maxAgeMs);
    if (id !== topicId) throw new LookAgain('the topic was deleted and made again');
    if (feed.history !== history) throw new LookAgain('the log went back');
  }

  /** A batch stands right after what was there before, or somebody else wrote, or it is not the same partition. */
  async #landed(batch: FeedEvent[], offset: number, ground: Ground): Promise<void> {
    const expected = ground.end;
    if (offset === expected) {
      ground.after = batch.at(-1)!.sequence;
      ground.end += batch.length;
      return;
    }
    const where = `event ${batch[0]!.sequence} of partition ${this.#partition} got offset ${offset} instead of ${expected}`;
    if (offset > expected) throw new LookAgain(`${where}: somebody else wrote to it`);
    await this.#stands(ground, JUST_NOW_MS);
    throw new RelayStopped('kafka-lost', lostUnder(where));
  }

  #sent(lease: HeldLease, sequence: number, count: number): void {
    lease.reached(sequence);
    this.#report.sent(sequence, count);
  }

  /** Repeats until it works. What must not be tried again ends it. */
  async #until<T>(what: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const onFailure = (error: Error) => {
      if (error instanceof RelayStopped || error instanceof LookAgain) throw error;
      // What fails because it is being stopped is no trouble.
      if (!signal.aborted) this.#report.failed('behind', what, error);
    };
    const done = await untilDone(work, signal, onFailure, BACKOFF);
    this.#report.well();
    return done;
  }
}
