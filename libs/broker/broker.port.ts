/**
 * Where lines for the operator go. Never given a record's key or value. What the Kafka client says about
 * itself arrives as `debug`: it is retried, and whoever asked reports the outcome.
 */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', line: string) => void;

/** A record on its way to Kafka. The value goes out byte for byte. */
export interface OutgoingRecord {
  key: string;
  value: Buffer;
  headers: Record<string, string>;
}

/** A record as Kafka holds it. */
export interface KafkaRecord extends OutgoingRecord {
  partition: number;
  offset: number;
}

/** What a topic is created with. */
export interface TopicSpec {
  partitions: number;
  /** Copies of each partition; at most the number of brokers. */
  replicationFactor: number;
  config: Record<string, string>;
}

/** What a topic is by the cluster's metadata, which is cheap to ask for. */
export interface TopicShape {
  /** Another one whenever the topic was deleted and made again (KIP-516). Undefined before Kafka 2.8. */
  id: string | undefined;
  partitions: number;
  /** Copies of the partition that has the fewest. */
  copies: number;
  /** Brokers that the cluster has now. */
  brokers: number;
}

/** What a topic is, with its settings. */
export interface TopicDescription extends TopicShape {
  /** The asked-for settings, defaults included. */
  config: Record<string, string>;
}

/** `begin` is the first offset still there, `end` the offset that the next record gets: equal when empty. */
export interface PartitionBounds {
  partition: number;
  begin: number;
  end: number;
}

/** The ends of a partition: its bounds, and its last records in order of their offsets. */
export interface TopicTail extends PartitionBounds {
  /** The first record that is still there. */
  first: KafkaRecord | undefined;
  records: KafkaRecord[];
}

/**
 * What was known about the partition may be true no more. Whoever gets this drops the producer, opens a fresh
 * one and reads the tail of the partition before sending anything.
 */
export class LookAgain extends Error {
  override name = 'LookAgain';
}

/** Kafka no longer follows this producer's numbering, or nobody can say whether it does. */
export class ProducerLost extends LookAgain {
  override name = 'ProducerLost';
}

/** An idempotent producer that writes one partition. A fresh one knows nothing: read the tail first. */
export interface PartitionProducer {
  /**
   * Resolves when all in-sync replicas have the batch, with the offset of its first record. One call at a time.
   * After any rejection but ProducerLost the outcome is unknown, and only the identical batch may be sent next.
   */
  send(records: readonly OutgoingRecord[]): Promise<number>;
  /** Cuts the connections: after this nothing leaves the process, an unanswered batch included. Never rejects. */
  close(): Promise<void>;
}

/**
 * All that the ledger wants from a Kafka client. Every call may reject while Kafka is away and may then be
 * made again; each has a deadline of its own.
 */
export interface KafkaPort {
  countBrokers(): Promise<number>;
  /** Undefined when there is no such topic. Never creates one. A few milliseconds. */
  topicShape(topic: string): Promise<TopicShape | undefined>;
  /** Undefined when there is no such topic. Never creates one. */
  describeTopic(topic: string, settings: readonly string[]): Promise<TopicDescription | undefined>;
  /** Does nothing when the topic is there by now, whatever it looks like. */
  createTopic(topic: string, spec: TopicSpec): Promise<void>;
  /** Deletes the topic and all that it holds; does nothing when there is none. */
  deleteTopic(topic: string): Promise<void>;
  bounds(topic: string): Promise<PartitionBounds[]>;
  /** The last `atMost` records (1 to 10,000), without a consumer group: a few milliseconds. */
  tail(topic: string, partition: number, atMost: number): Promise<TopicTail>;
  /** Records from an offset on, some megabytes of them, without a consumer group; none at the end. */
  read(topic: string, partition: number, offset: number): Promise<KafkaRecord[]>;
  producer(topic: string, partition: number): Promise<PartitionProducer>;
  /** Closes what the port itself holds; producers are closed by those who opened them. */
  close(): Promise<void>;
}
