import type { TopicShape } from '../broker.port.js';
import type { RawBroker } from './raw-cluster.js';

const METADATA = 3;
/** The first version with topic ids (KIP-516): Kafka 2.8 and later. kafkajs ends at 6. */
const VERSION = 10;
const UNKNOWN_TOPIC = 3;

/**
 * What the metadata says of a topic, undefined when there is none: one request, a millisecond. Never creates it.
 * @see https://kafka.apache.org/protocol#The_Messages_Metadata
 */
export async function readTopicShape(broker: RawBroker, topic: string): Promise<TopicShape | undefined> {
  const versions = broker.versions?.[METADATA];
  if (!versions || VERSION > versions.maxVersion || VERSION < versions.minVersion) {
    return readWithoutId(broker, topic);
  }
  const encoded = request(topic);
  return broker.connectionPool.send({
    request: {
      apiKey: METADATA,
      apiVersion: VERSION,
      apiName: 'Metadata',
      encode: async () => ({ buf: encoded, buffer: encoded }),
    },
    response: { decode: async (payload) => payload, parse: async (payload) => decode(payload) },
  });
}

/** An older Kafka: a topic that was made again looks the same there, only its offsets tell. */
async function readWithoutId(broker: RawBroker, topic: string): Promise<TopicShape | undefined> {
  try {
    const { brokers, topicMetadata } = await broker.metadata([topic]);
    const partitions = topicMetadata[0]?.partitionMetadata ?? [];
    const copies = Math.min(...partitions.map(({ replicas }) => replicas.length));
    return { id: undefined, partitions: partitions.length, copies, brokers: brokers.length };
  } catch (error) {
    if ((error as { type?: unknown }).type === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  }
}

/** Flexible encoding (KIP-482): lengths are varints and one more than they say; tagged fields end each struct. */
function request(topic: string): Buffer {
  const name = Buffer.from(topic);
  const noTags = 0;
  const arrayOfOne = 2;
  const anyId = Buffer.alloc(16);
  const noAutoCreation = 0;
  const noAuthorizations = [0, 0];
  return Buffer.concat([
    Buffer.from([noTags, arrayOfOne]),
    anyId,
    varint(name.length + 1),
    name,
    Buffer.from([noTags, noAutoCreation, ...noAuthorizations, noTags]),
  ]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function decode(payload: Buffer): TopicShape | undefined {
  const from = new Fields(payload);
  from.skipTags();
  from.int32(); // throttle time
  const brokers = from.array(() => {
    from.int32();
    from.text();
    from.int32();
    from.text();
    from.skipTags();
  });
  from.text(); // cluster id
  from.int32(); // controller
  const [topic] = from.array(() => readTopic(from));
  if (!topic || topic.error === UNKNOWN_TOPIC) return undefined;
  if (topic.error !== 0) throw new Error(`Kafka answered error ${topic.error} when asked about the topic`);
  const copies = Math.min(...topic.copies);
  return { id: topic.id, partitions: topic.copies.length, copies, brokers: brokers.length };
}

function readTopic(from: Fields) {
  const error = from.int16();
  from.text(); // its name
  const id = from.uuid();
  from.int8(); // internal
  const copies = from.array(() => {
    from.int16(); // an error such as "no leader"; who sends to the partition gets it too
    for (const _ of ['partition', 'leader', 'leader epoch']) from.int32();
    const replicas = from.array(() => from.int32());
    for (const _ of ['in sync', 'offline']) from.array(() => from.int32());
    from.skipTags();
    return replicas.length;
  });
  from.int32(); // authorized operations
  from.skipTags();
  return { error, id, copies };
}

/** Reads one field after the other. */
class Fields {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  int8 = () => this.bytes.readInt8(this.#skip(1));
  int16 = () => this.bytes.readInt16BE(this.#skip(2));
  int32 = () => this.bytes.readInt32BE(this.#skip(4));
  uuid = () => this.#take(16).toString('hex');
  text = () => this.#take(this.#varint() - 1).toString('utf8');

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.#varint() - 1) }, read);
  }

  skipTags(): void {
    for (let left = this.#varint(); left > 0; left--) {
      this.#varint();
      this.#take(this.#varint());
    }
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.#skip(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  #take(length: number): Buffer {
    const start = this.#skip(Math.max(0, length));
    return this.bytes.subarray(start, this.#at);
  }

  #skip(length: number): number {
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
