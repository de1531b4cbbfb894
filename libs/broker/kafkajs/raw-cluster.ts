import type { Kafka } from 'kafkajs';
import type { KafkaRecord, PartitionBounds, TopicTail } from '../broker.port.js';

/**
 * kafkajs reads records only through a consumer group, whose join costs seconds (the broker waits
 * group.initial.rebalance.delay.ms, 3 s by default, for other members). What its consumer stands on, the
 * Cluster, reads a record in a millisecond but is not public. The parts used here, as of kafkajs 2.2.4:
 */
export interface RawCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(options: { nodeId: string }): Promise<RawBroker>;
  brokerPool: { findConnectedBroker(): Promise<RawBroker> };
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ partitions: { partition: number; offset: string }[] }[]>;
}

export interface RawBroker {
  /** What it understands, by the number of the request. */
  versions: Record<number, { minVersion: number; maxVersion: number }> | null;
  /** Sends any request, also one that kafkajs does not know. */
  connectionPool: {
    send<T>(call: {
      request: {
        apiKey: number;
        apiVersion: number;
        apiName: string;
        encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
      };
      response: { decode(payload: Buffer): Promise<Buffer>; parse(payload: Buffer): Promise<T> };
    }): Promise<T>;
  };
  metadata(topics: string[]): Promise<{
    brokers: unknown[];
    topicMetadata: { partitionMetadata: { replicas: number[] }[] }[];
  }>;
  fetch(request: Record<string, unknown>): Promise<{
    responses: { partitions: { messages: RawMessage[] }[] }[];
  }>;
}

interface RawMessage {
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers?: Record<string, unknown>;
}

const READ_UNCOMMITTED = 0;
const FETCH_BYTES = 4_000_000;
const FETCH_WAIT_MS = 100;

/** A Cluster with all the settings of the given client. Throws when this kafkajs has none. */
export function openCluster(kafka: Kafka): RawCluster {
  const key = Object.getOwnPropertySymbols(kafka).find(
    (symbol) => symbol.description === 'private:Kafka:createCluster',
  );
  const create = key && (kafka as unknown as Record<symbol, unknown>)[key];
  if (typeof create !== 'function')
    throw new Error('this version of kafkajs has no cluster to read tails with');
  return create({ allowAutoTopicCreation: false, isolationLevel: READ_UNCOMMITTED }) as RawCluster;
}

/** One record of kafkajs, whatever it gives for absent keys and for headers. */
function toKafkaRecord(partition: number, message: RawMessage): KafkaRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    partition,
    offset: Number(message.offset),
    key: message.key?.toString('utf8') ?? '',
    value: message.value ?? Buffer.alloc(0),
    headers: Object.fromEntries(headers),
  };
}

async function readBounds(cluster: RawCluster, topic: string, partition: number): Promise<PartitionBounds> {
  const ask = async (fromBeginning: boolean) => {
    const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
    const offset = found?.partitions.find((each) => each.partition === partition)?.offset;
    if (offset === undefined)
      throw new Error(`Kafka did not tell the offsets of ${topic}, partition ${partition}`);
    return Number(offset);
  };
  const [begin, end] = await Promise.all([ask(true), ask(false)]);
  return { partition, begin, end };
}

/** The first and the last `atMost` records of a partition. Rejects on any trouble: drop the cluster then and ask again. */
export async function readTail(
  cluster: RawCluster,
  topic: string,
  partition: number,
  atMost: number,
): Promise<TopicTail> {
  await cluster.addTargetTopic(topic);
  const bounds = await readBounds(cluster, topic, partition);
  const records: KafkaRecord[] = [];
  let next = Math.max(bounds.begin, bounds.end - atMost);
  while (next < bounds.end) {
    const found = await fetchFrom(cluster, topic, partition, next, FETCH_BYTES);
    // Nothing readable although the end is further: the caller sees fewer records than the bounds promise.
    if (found.length === 0) break;
    records.push(...found);
    next = found.at(-1)!.offset + 1;
  }
  const first = bounds.begin === bounds.end ? undefined : await fetchFirst(cluster, topic, bounds);
  return { ...bounds, first, records };
}

/** Records from an offset on. Rejects on any trouble: drop the cluster then and ask again. */
export async function readFrom(
  cluster: RawCluster,
  topic: string,
  partition: number,
  offset: number,
): Promise<KafkaRecord[]> {
  await cluster.addTargetTopic(topic);
  return fetchFrom(cluster, topic, partition, offset, FETCH_BYTES);
}

async function fetchFirst(cluster: RawCluster, topic: string, { partition, begin }: PartitionBounds) {
  // Kafka answers with a whole batch, however few bytes it is allowed (KIP-74).
  const [first] = await fetchFrom(cluster, topic, partition, begin, 1);
  return first;
}

async function fetchFrom(
  cluster: RawCluster,
  topic: string,
  partition: number,
  offset: number,
  maxBytes: number,
) {
  const leader = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))[0];
  if (leader === undefined) throw new Error(`${topic} has no partition ${partition}, or it has no leader`);
  const broker = await cluster.findBroker({ nodeId: leader });
  const { responses } = await broker.fetch({
    isolationLevel: READ_UNCOMMITTED,
    maxWaitTime: FETCH_WAIT_MS,
    minBytes: 1,
    maxBytes,
    topics: [{ topic, partitions: [{ partition, fetchOffset: offset, maxBytes }] }],
  });
  const messages = responses[0]?.partitions[0]?.messages ?? [];
  // Kafka answers with whole batches: the first may begin before the offset.
  return messages.map((each) => toKafkaRecord(partition, each)).filter((each) => each.offset >= offset);
}
