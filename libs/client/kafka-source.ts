/** Events from Kafka, with the user's own kafkajs: its brokers, TLS and SASL are set there. */

import { onAbort, settled, withDeadline } from '#waiting';
import { type EventSource, FollowerStopped, type Positions, type Reading } from './following/event-source.js';
import { parseEvent } from './following/followed-event.js';

/** What is needed of `new Kafka({ … })` from kafkajs 2. */
export interface KafkaLike {
  admin(): {
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    fetchTopicOffsets(topic: string): Promise<{ partition: number; high: string; low: string }[]>;
  };
  consumer(config: {
    groupId: string;
    allowAutoTopicCreation: boolean;
    maxWaitTimeInMs: number;
    retry: { retries: number; restartOnFailure: () => Promise<boolean> };
  }): KafkaConsumer;
}

interface KafkaConsumer {
  events: { CRASH: string; GROUP_JOIN: string };
  // biome-ignore lint/suspicious/noExplicitAny: kafkajs names an overload for each of its events
  on(event: any, listener: (event: any) => void): unknown;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(what: { topics: string[]; fromBeginning: boolean }): Promise<void>;
  seek(to: { topic: string; partition: number; offset: string }): void;
  run(config: {
    autoCommit: boolean;
    eachBatchAutoResolve: boolean;
    eachBatch(payload: KafkaBatch): Promise<void>;
  }): Promise<void>;
}

interface KafkaBatch {
  batch: {
    partition: number;
    messages: { offset: string; value: Buffer | Uint8Array | null; headers?: object }[];
  };
  resolveOffset(offset: string): void;
  heartbeat(): Promise<void>;
}

export interface KafkaSourceOptions {
  kafka: KafkaLike;
  /** `session-ledger.events.v1` unless the ledger was told otherwise. */
  topic?: string;
}

/** What a relay writes beside each event; records without it are not of the ledger. */
const SEQUENCE = 'ledger-sequence';
/** What asking Kafka, and leaving it, may take. */
const ASK_MS = 10_000;
const LEAVE_MS = 3_000;
/** How long Kafka may hold an empty fetch: leaving waits for it. */
const FETCH_MS = 500;

/** The ledger's topic in Kafka, read alone, without committing offsets: the position is the follower's. */
export function kafkaSource({ kafka, topic = 'session-ledger.events.v1' }: KafkaSourceOptions): EventSource {
  const ends = new Ends(topic);
  return {
    async check(positions) {
      const saw = ends.asking(positions);
      saw(await boundsOf(kafka, topic));
    },
    async read(reading) {
      const consumer = kafka.consumer({
        groupId: `session-ledger-client-${crypto.randomUUID()}`,
        allowAutoTopicCreation: false,
        maxWaitTimeInMs: FETCH_MS,
        retry: { retries: 5, restartOnFailure: async () => false },
      });
      try {
        await consume(consumer, topic, reading, ends);
      } finally {
        await settled(consumer.disconnect(), LEAVE_MS);
      }
    },
  };
}

/** Where the topic's partitions end, as far as was ever seen. They only grow, unless it is another topic. */
class Ends {
  readonly #topic: string;
  readonly #ends: number[] = [];
  /** The positions when it was asked first: later ones may be of the feed. */
  #begun: readonly number[] | undefined;

  constructor(topic: string) {
    this.#topic = topic;
  }

  /**
   * Called before Kafka is asked, and returns what takes its answer: more may be read in between. That throws
   * FollowerStopped when the topic is not the one that was followed.
   */
  asking(positions: Positions): (bounds: readonly { partition: number; high: string }[]) => void {
    const before = [...this.#ends];
    this.#begun ??= [...positions];
    const begun = this.#begun;
    return (bounds) => {
      if (bounds.length !== begun.length) {
        const what = `Kafka topic ${this.#topic} has ${bounds.length} partitions, the ledger ${begun.length}`;
        throw new FollowerStopped('partitions-changed', what);
      }
      for (const { partition, high } of bounds) {
        const [end, last, position = 0] = [Number(high), before[partition], begun[partition]];
        if (end < (last ?? 0)) throw this.#anew(partition, `ends at ${end}, and ended at ${last}`);
        // One that ends before the position may just be behind: what it lacked then came from the feed.
        if (end === 0 && last === undefined && position > 0) {
          throw this.#anew(partition, `is empty, and the position was ${position}`);
        }
        this.#ends[partition] = Math.max(this.#ends[partition] ?? 0, end);
      }
    };
  }

  /** Where to begin to read for what comes after a sequence. */
  offsetOf(partition: number, sequence: number): number {
    // What follows sequence n stands at offset n or later: repetitions only push records back.
    return Math.min(sequence, this.#ends[partition] ?? sequence);
  }

  /** A record was read. */
  read(partition: number, last: string): void {
    this.#ends[partition] = Math.max(this.#ends[partition] ?? 0, Number(last) + 1);
  }

  #anew(partition: number, what: string): FollowerStopped {
    const message = `partition ${partition} of Kafka topic ${this.#topic} ${what}: it was made anew, or has lost records`;
    return new FollowerStopped('topic-recreated', message);
  }
}

/** Rejects when the consumer dies or an event cannot be taken; resolves when the signal aborts. */
async function consume(
  consumer: KafkaConsumer,
  topic: string,
  { positions, take, signal }: Reading,
  ends: Ends,
): Promise<void> {
  const offsets = positions.map((sequence, partition) => ends.offsetOf(partition, sequence));
  const over = new Promise<void>((resolve, reject) => {
    onAbort(signal, () => resolve());
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, () => {
      offsets.forEach((offset, partition) => {
        consumer.seek({ topic, partition, offset: String(offset) });
      });
    });
    const eachBatch = async ({ batch, resolveOffset, heartbeat }: KafkaBatch) => {
      const { partition, messages } = batch;
      const last = messages.at(-1);
      if (!last || signal.aborted) return;
      const ours = messages.filter(({ headers }) => headers && SEQUENCE in headers);
      try {
        ends.read(partition, last.offset);
        await take(ours.map(({ value }) => parseEvent(new TextDecoder().decode(value ?? undefined))));
      } catch (error) {
        return reject(error); // to Kafka this batch stays unread
      }
      offsets[partition] = Number(last.offset) + 1;
      resolveOffset(last.offset);
      await heartbeat();
    };
    consumer
      .connect()
      .then(() => consumer.subscribe({ topics: [topic], fromBeginning: true }))
      .then(() => consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }))
      .catch(reject);
  });
  await over;
}

async function boundsOf(kafka: KafkaLike, topic: string): Promise<{ partition: number; high: string }[]> {
  const admin = kafka.admin();
  const ask = async () => {
    await admin.connect();
    return admin.fetchTopicOffsets(topic);
  };
  try {
    return await withDeadline(ask(), ASK_MS, 'Kafka did not answer');
  } finally {
    await settled(admin.disconnect(), LEAVE_MS);
  }
}
