import { randomUUID } from 'node:crypto';
import kafkajs, { type Kafka } from 'kafkajs';
import { HEADERS, type KafkaOptions, type KafkaPort, openKafka, type TopicSpec } from '../index.js';

/** The brokers that the test run has started. */
function brokers(): string[] {
  const found = process.env.TEST_KAFKA_BROKERS;
  if (!found) throw new Error('TEST_KAFKA_BROKERS is not set: the test setup has no Kafka');
  return found.split(',');
}

export const newTopic = (): string => `test-${randomUUID()}`;

/** Short time-outs, so that a lost answer costs a test little. */
export function testKafka(options: Partial<KafkaOptions> = {}): KafkaPort {
  return openKafka({ brokers: brokers(), requestTimeoutMs: 1_000, connectTimeoutMs: 1_000, ...options });
}

/** Plain kafkajs, for what the port does not offer and to look at Kafka past our own code. */
export const bareKafka = (): Kafka =>
  new kafkajs.Kafka({ brokers: brokers(), logLevel: kafkajs.logLevel.NOTHING });

export async function createTopic(topic: string, partitions: number, config: TopicSpec['config'] = {}) {
  await testKafka().createTopic(topic, { partitions, replicationFactor: 1, config });
}

export interface Seen {
  partition: number;
  sequence: number;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
}

/**
 * As an operator, or a retention set by mistake, would: the records of partition 0 are gone, all of them or those before
 * an offset; the offsets stay.
 */
export async function deleteRecords(topic: string, before = -1): Promise<void> {
  const admin = bareKafka().admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // loads the metadata that the next call takes for granted
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(before) }] });
  await admin.disconnect();
}

/** Everything that the topic holds, as plain kafkajs reads it, by partition and offset. */
export async function readAll(topic: string, timeoutMs = 20_000): Promise<Seen[][]> {
  const admin = bareKafka().admin();
  await admin.connect();
  const bounds = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const seen: Seen[][] = bounds.map(() => []);
  const missing = new Map(bounds.filter((b) => b.high !== b.low).map((b) => [b.partition, Number(b.high)]));
  if (missing.size === 0) return seen;
  const consumer = bareKafka().consumer({ groupId: `read-all-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Kafka was not read in time')), timeoutMs);
    void consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const headers = Object.fromEntries(
          Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
        );
        seen[partition]!.push({
          partition,
          sequence: Number(headers[HEADERS.sequence]),
          key: String(message.key),
          value: message.value!,
          headers,
        });
        if (Number(message.offset) + 1 >= (missing.get(partition) ?? 0)) missing.delete(partition);
        if (missing.size > 0) return;
        clearTimeout(timer);
        resolve();
      },
    });
  });
  await consumer.disconnect();
  return seen;
}

/** Resolves when the condition holds; fails the test after `ms`. */
export async function until(what: string, holds: () => boolean, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
