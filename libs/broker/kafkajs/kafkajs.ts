import type { Admin } from 'kafkajs';
import { rest, withDeadline } from '#waiting';
import type {
  KafkaPort,
  KafkaRecord,
  PartitionBounds,
  PartitionProducer,
  TopicDescription,
  TopicShape,
  TopicSpec,
  TopicTail,
} from '../broker.port.js';
import { type Client, type KafkaOptions, kafkajs, newClient, typesOf } from './kafkajs-client.js';
import { openProducer } from './kafkajs-producer.js';
import { openCluster, type RawCluster, readFrom, readTail } from './raw-cluster.js';
import { readTopicShape } from './topic-metadata.js';

/** Kafka through kafkajs 2.2.4. Connects when first used. */
export function openKafka(options: KafkaOptions): KafkaPort {
  return new KafkaJs(options);
}

class KafkaJs implements KafkaPort {
  readonly #options: KafkaOptions;
  #reader: { client: Client; cluster: RawCluster; ready: Promise<void> } | undefined;

  constructor(options: KafkaOptions) {
    this.#options = options;
  }

  countBrokers(): Promise<number> {
    return this.#asAdmin(async (admin) => (await admin.describeCluster()).brokers.length);
  }

  topicShape(topic: string): Promise<TopicShape | undefined> {
    return this.#read('Kafka did not answer when asked about its topic', async (cluster) =>
      readTopicShape(await cluster.brokerPool.findConnectedBroker(), topic),
    );
  }

  async describeTopic(topic: string, settings: readonly string[]): Promise<TopicDescription | undefined> {
    const shape = await this.topicShape(topic);
    if (!shape) return undefined;
    return this.#asAdmin(async (admin) => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs().ConfigResourceTypes.TOPIC, name: topic, configNames: [...settings] }],
      });
      const entries = resources[0]?.configEntries ?? [];
      return {
        ...shape,
        config: Object.fromEntries(entries.map((entry) => [entry.configName, entry.configValue])),
      };
    });
  }

  createTopic(topic: string, spec: TopicSpec): Promise<void> {
    const configEntries = Object.entries(spec.config).map(([name, value]) => ({ name, value }));
    const { partitions: numPartitions, replicationFactor } = spec;
    return this.#asAdmin(async (admin) => {
      const wanted = { topic, numPartitions, replicationFactor, configEntries };
      await admin.createTopics({ topics: [wanted], waitForLeaders: false });
      await untilKnown(admin, topic);
    });
  }

  deleteTopic(topic: string): Promise<void> {
    return this.#asAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [topic] }).catch((error) => {
        if (![...typesOf(error)].includes('UNKNOWN_TOPIC_OR_PARTITION')) throw error;
      });
    });
  }

  bounds(topic: string): Promise<PartitionBounds[]> {
    return this.#asAdmin(async (admin) => {
      const found = await admin.fetchTopicOffsets(topic);
      return found.map(({ partition, low, high }) => ({ partition, begin: Number(low), end: Number(high) }));
    });
  }

  tail(topic: string, partition: number, atMost: number): Promise<TopicTail> {
    return this.#read('Kafka did not answer when asked for its last record', (cluster) =>
      readTail(cluster, topic, partition, atMost),
    );
  }

  read(topic: string, partition: number, offset: number): Promise<KafkaRecord[]> {
    return this.#read('Kafka did not answer when asked for records', (cluster) =>
      readFrom(cluster, topic, partition, offset),
    );
  }

  producer(topic: string, partition: number): Promise<PartitionProducer> {
    return openProducer(newClient(this.#options), topic, partition);
  }

  async close(): Promise<void> {
    this.#reader?.client.gate.shut();
    this.#reader = undefined;
  }

  #openReader() {
    const client = newClient(this.#options);
    const cluster = openCluster(client.kafka);
    return { client, cluster, ready: cluster.connect() };
  }

  async #read<T>(unanswered: string, work: (cluster: RawCluster) => Promise<T>): Promise<T> {
    this.#reader ??= this.#openReader();
    const reader = this.#reader;
    try {
      const read = reader.ready.then(() => work(reader.cluster));
      return await withDeadline(read, this.#deadlineMs(), unanswered);
    } catch (error) {
      // Whatever it was (a moved leader, a dead connection): the next call starts from fresh metadata.
      if (this.#reader === reader) this.#reader = undefined;
      reader.client.gate.shut();
      throw error;
    }
  }

  async #asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const { kafka, gate } = newClient(this.#options);
    const admin = kafka.admin();
    try {
      const done = admin.connect().then(() => work(admin));
      return await withDeadline(done, this.#deadlineMs(), 'Kafka did not answer an administrative request');
    } finally {
      gate.shut();
    }
  }

  /** Some requests in a row, each with its own time-out and one retry. */
  #deadlineMs(): number {
    return 4 * ((this.#options.requestTimeoutMs ?? 10_000) + (this.#options.connectTimeoutMs ?? 3_000));
  }
}

const NOT_YET = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION'];

/**
 * A broker hears of a topic a little later than the controller that made it, and leads its partitions later still; kafkajs'
 * own wait fails at a broker that has not heard yet. Ends with the admin's connection at the latest, which its deadline shuts.
 */
async function untilKnown(admin: Admin, topic: string): Promise<void> {
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics: [topic] });
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (!NOT_YET.some((type) => [...typesOf(error)].includes(type))) throw error;
      await rest(50);
    }
  }
}
