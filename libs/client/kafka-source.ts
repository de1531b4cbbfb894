/** Events from Kafka, with the user's own kafkajs: its brokers, TLS and SASL are set there. */

import { parseEvent } from './event.js';
import { type EventSource, FollowerStopped, type Positions, type Reading } from './event-source.js';
import { pause } from './waiting.js';

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
  /** How often to look whether the consumer is stuck and the topic still the same, in milliseconds: 10,000 unless set. */
  lookMs?: number;
}

/** What a relay writes beside each event; records without it are not of the ledger. */
const SEQUENCE = 'ledger-sequence';
const STUCK_LOOKS = 3;

/** The ledger's topic in Kafka, read alone, without committing offsets: the position is the follower's. */
export function kafkaSource({
  kafka,
  topic = 'session-ledger.events.v1',
  lookMs = 10_000,
}: KafkaSourceOptions): EventSource {
  return {
    async check(positions) {
      await withAdmin(kafka, (admin) => checkTopic(admin, topic, positions));
    },
    async read(reading) {
      const consumer = kafka.consumer({
        groupId: `session-ledger-client-${crypto.randomUUID()}`,
        allowAutoTopicCreation: false,
        retry: { retries: 5, restartOnFailure: async () => false },
      });
      try {
        await Promise.race([consume(consumer, topic, reading), watch(kafka, topic, reading, lookMs)]);
      } finally {
        await Promise.race([consumer.disconnect().catch(() => {}), pause(3_000)]);
      }
    },
  };
}

/** Rejects when the consumer dies or an event cannot be taken; resolves when the signal aborts. */
async function consume(consumer: KafkaConsumer, topic: string, { positions, take, alive, signal }: Reading) {
  // What follows sequence n stands at offset n or later: repetitions only push records back.
  const offsets = [...positions];
  const over = new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, () => {
      alive();
      offsets.forEach((offset, partition) => {
        consumer.seek({ topic, partition, offset: String(offset) });
      });
    });
    const eachBatch = async ({ batch, resolveOffset, heartbeat }: KafkaBatch) => {
      const last = batch.messages.at(-1);
      if (!last || signal.aborted) return;
      const ours = batch.messages.filter(({ headers }) => headers && SEQUENCE in headers);
      try {
        await take(ours.map(({ value }) => parseEvent(new TextDecoder().decode(value ?? undefined))));
      } catch (error) {
        return reject(error); // to Kafka this batch stays unread
      }
      offsets[batch.partition] = Number(last.offset) + 1;
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

/** kafkajs's consumer can stop fetching without a word (kafkajs#659), and a topic can be deleted and made anew. */
async function watch(kafka: KafkaLike, topic: string, { positions, alive, signal }: Reading, lookMs: number) {
  for (let [looks, before] = [0, -1]; ; ) {
    await pause(lookMs, signal);
    const behind = await withAdmin(kafka, (admin) => checkTopic(admin, topic, positions));
    alive();
    const sum = positions.reduce((total, sequence) => total + sequence, 0);
    looks = behind && sum === before ? looks + 1 : 0;
    before = sum;
    if (looks >= STUCK_LOOKS)
      throw new Error(`nothing came from Kafka for ${lookMs * looks} ms, though there is more`);
  }
}

type Admin = ReturnType<KafkaLike['admin']>;

/** Whether there is more to read. Throws FollowerStopped when the topic is not the one that was followed. */
async function checkTopic(admin: Admin, topic: string, positions: Positions): Promise<boolean> {
  const bounds = await admin.fetchTopicOffsets(topic);
  if (bounds.length !== positions.length) {
    const [found, wanted] = [bounds.length, positions.length];
    throw new FollowerStopped(
      'partitions-changed',
      `Kafka topic ${topic} has ${found} partitions, the ledger ${wanted}`,
    );
  }
  const short = bounds.find(({ partition, high }) => Number(high) < (positions[partition] ?? 0));
  if (!short) return bounds.some(({ partition, high }) => Number(high) > (positions[partition] ?? 0));
  const where = `partition ${short.partition} of Kafka topic ${topic} ends at ${short.high}`;
  const what = `${where}, the position is ${positions[short.partition]}: the topic was made anew, or its relay is behind`;
  throw new FollowerStopped('topic-recreated', what);
}

async function withAdmin<T>(kafka: KafkaLike, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
