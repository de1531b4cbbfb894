import type { KafkaPort, TopicDescription, TopicShape } from './broker.port.js';
import { RelayStopped } from './stopped.js';

/** The topic of all events, unless configured otherwise. */
export const EVENTS_TOPIC = 'session-ledger.events.v1';

export interface TopicOptions {
  topic: string;
  /** The ledger's partitions, fixed when it was created: Kafka's must be the same. */
  partitions: number;
  /** Copies wanted of each partition: min(3, brokers) unless set. */
  replicationFactor?: number | undefined;
  /** Brokers that the configuration names: while fewer are there, the cluster is still starting. */
  listedBrokers?: number | undefined;
}

/** What is right about a topic, and what could be better. */
export interface CheckedTopic {
  id: string | undefined;
  /** The largest batch that it takes. */
  maxBatchBytes: number;
  warnings: TopicWarning[];
}

/** The topic carries the ledger, but not as safely as it could. */
export interface TopicWarning {
  code: 'few-copies' | 'few-in-sync' | 'lost-beginning';
  /** For the operator: what is wrong, and what to do. */
  text: string;
}

/** The topic is there but cannot carry the ledger. The message says what to do. */
class TopicMismatch extends RelayStopped {
  override name = 'TopicMismatch';

  constructor(message: string) {
    super('topic-mismatch', message);
  }
}

/** Without these an event would vanish from Kafka some day. */
const KEEP_EVERYTHING = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };
const MAX_BATCH = 'max.message.bytes';
const IN_SYNC = 'min.insync.replicas';
const SETTINGS = [...Object.keys(KEEP_EVERYTHING), MAX_BATCH, IN_SYNC];
const KAFKA_DEFAULT_MAX_BATCH = 1_048_588;

/**
 * Creates the topic when it is absent, and checks it when it is there. Throws TopicMismatch; an error while the
 * topic cannot be made because brokers are missing; or whatever the port throws while Kafka is away.
 */
export async function ensureTopic(kafka: KafkaPort, options: TopicOptions): Promise<CheckedTopic> {
  let found = await kafka.describeTopic(options.topic, SETTINGS);
  if (!found) {
    await create(kafka, options);
    found = await kafka.describeTopic(options.topic, SETTINGS);
  }
  if (!found) throw new Error(`${options.topic} was created but Kafka does not show it yet`);
  check(options, found);
  return {
    id: found.id,
    maxBatchBytes: Number(found.config[MAX_BATCH] ?? KAFKA_DEFAULT_MAX_BATCH),
    warnings: [...tooFewCopies(options, found), ...tooFewInSync(options, found)],
  };
}

/** A topic keeps the number of copies that it was made with: made too early, it would have one for ever. */
async function create(kafka: KafkaPort, options: TopicOptions): Promise<void> {
  const { topic, partitions } = options;
  const brokers = await kafka.countBrokers();
  const replicationFactor = wantedCopies(options, brokers);
  if (brokers < replicationFactor) {
    throw new Error(
      `${topic} is to have ${replicationFactor} copies, and Kafka has only ${brokers} of the brokers for them. ` +
        `It is made when the others are there; KAFKA_REPLICAS sets how many copies are wanted`,
    );
  }
  const config = { ...KEEP_EVERYTHING, [IN_SYNC]: String(wantedInSync(replicationFactor)) };
  await kafka.createTopic(topic, { partitions, replicationFactor, config });
}

function wantedCopies({ replicationFactor, listedBrokers = 1 }: TopicOptions, brokers: number): number {
  return replicationFactor ?? Math.min(3, Math.max(listedBrokers, brokers));
}

/** Of three copies two must have a record before it counts; with fewer that would stop all at one failure. */
function wantedInSync(copies: number): number {
  return copies >= 3 ? 2 : 1;
}

export function tooFewCopies(options: TopicOptions, { copies, brokers }: TopicShape): TopicWarning[] {
  const wanted = wantedCopies(options, brokers);
  if (copies >= wanted) return [];
  const text =
    `Kafka topic ${options.topic} has ${copies} of ${wanted} copies: what is lost with a broker is not ` +
    `elsewhere. Raise it with kafka-reassign-partitions.sh, or set KAFKA_REPLICAS=${copies} if that is meant.`;
  return [{ code: 'few-copies', text }];
}

function tooFewInSync({ topic }: TopicOptions, { copies, config }: TopicDescription): TopicWarning[] {
  const wanted = wantedInSync(copies);
  const actual = config[IN_SYNC];
  if (actual === undefined || Number(actual) >= wanted) return [];
  const text =
    `Kafka topic ${topic} has ${IN_SYNC}=${actual}: Kafka may confirm an event that one broker alone has. Set it ` +
    `with: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${IN_SYNC}=${wanted}`;
  return [{ code: 'few-in-sync', text }];
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
