export type {
  ConsumerOptions,
  KafkaPort,
  KafkaRecord,
  Log,
  OutgoingRecord,
  PartitionBounds,
  PartitionProducer,
  PartitionsConsumer,
  StartOffset,
  Tail,
  TopicDescription,
  TopicShape,
  TopicSpec,
} from './broker.port.js';
export { LookAgain, ProducerLost } from './broker.port.js';
export { type Comparison, compareWithKafka, type Verdict } from './compare.js';
export type { Follower, FollowOptions, Gap, Positions } from './consumer.js';
export { followKafka } from './consumer.js';
export { openKafka } from './kafkajs.js';
export type { KafkaOptions } from './kafkajs-client.js';
export type { PartitionStatus, RelayHooks, RelayState } from './partition-status.js';
export type { LedgerRecord } from './record.js';
export { CONTENT_TYPE, HEADERS } from './record.js';
export type { RelayOptions, RelayStatus } from './relay.js';
export { Relay } from './relay.js';
export { RelayStopped, type StopCode } from './stopped.js';
export type { CheckedTopic, TopicOptions, TopicWarning } from './topic.js';
export { EVENTS_TOPIC, ensureTopic, TopicMismatch } from './topic.js';
