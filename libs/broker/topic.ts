import type { KafkaPort, TopicDescription } from './broker.port.js';

/** The topic of all events, unless configured otherwise. */
export const EVENTS_TOPIC = 'session-ledger.events.v1';

export interface TopicOptions {
  topic: string;
  /** The ledger's partitions, fixed when it was created: Kafka's must be the same. */
  partitions: number;
  /** Copies of each partition when the topic is created: min(3, brokers) unless set. */
  replicationFactor?: number | undefined;
}

/** The topic is there but cannot carry the ledger. The message says what to do. */
export class TopicMismatch extends Error {
  override name = 'TopicMismatch';
}

/** Without these an event would vanish from Kafka some day. */
const KEEP_EVERYTHING = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };
const MAX_BATCH = 'max.message.bytes';
const KAFKA_DEFAULT_MAX_BATCH = 1_048_588;

/**
 * Creates the topic when it is absent, checks it when it is there, and tells the largest batch that it
 * takes, in bytes. Throws TopicMismatch, or whatever the port throws while Kafka is away.
 */
export async function ensureTopic(
  kafka: KafkaPort,
  options: TopicOptions,
): Promise<{ maxBatchBytes: number }> {
  const settings = [...Object.keys(KEEP_EVERYTHING), MAX_BATCH];
  let found = await kafka.describeTopic(options.topic, settings);
  if (!found) {
    await create(kafka, options);
    found = await kafka.describeTopic(options.topic, settings);
  }
  if (!found) throw new Error(`${options.topic} was created but Kafka does not show it yet`);
  check(options, found);
  return { maxBatchBytes: Number(found.config[MAX_BATCH] ?? KAFKA_DEFAULT_MAX_BATCH) };
}

async function create(kafka: KafkaPort, options: TopicOptions): Promise<void> {
  const replicationFactor = options.replicationFactor ?? Math.min(3, await kafka.countBrokers());
  // Of three copies two must have a record before it counts; with fewer that would stop all at one failure.
  const minInSync = replicationFactor >= 3 ? 2 : 1;
  await kafka.createTopic(options.topic, {
    partitions: options.partitions,
    replicationFactor,
    config: { ...KEEP_EVERYTHING, 'min.insync.replicas': String(minInSync) },
  });
}

function check(options: TopicOptions, found: TopicDescription): void {
  const { topic } = options;
  if (found.partitions !== options.partitions) {
    throw new TopicMismatch(
      `Kafka topic ${topic} has ${found.partitions} partitions, the ledger ${options.partitions}, and one ` +
        `mirrors the other. Configure another topic name, or delete this topic if nobody reads it: the ` +
        `relay creates it with ${options.partitions}. Adding partitions by hand is right only if they are too few.`,
    );
  }
  for (const [name, wanted] of Object.entries(KEEP_EVERYTHING)) {
    const actual = found.config[name] ?? '(unknown)';
    if (actual === wanted) continue;
    throw new TopicMismatch(
      `Kafka topic ${topic} has ${name}=${actual}, so it would lose events. Set it with: kafka-configs.sh ` +
        `--alter --entity-type topics --entity-name ${topic} --add-config ${name}=${wanted}`,
    );
  }
}
