// Kafka: the topic of the events, and the relay that mirrors the log into it.
// May import the schemas of api, waiting, kafkajs, and the types of log.
// Start reading in relay.ts, then partition-relay.ts. broker.port.ts has all that is wanted of Kafka; kafkajs/ gives it.
export type {
  KafkaPort,
  KafkaRecord,
  Log,
  OutgoingRecord,
  PartitionBounds,
  PartitionProducer,
  Tail,
  TopicDescription,
  TopicShape,
  TopicSpec,
} from './broker.port.js';
export { LookAgain, ProducerLost } from './broker.port.js';
export type { CompareTopicOptions, TopicReport } from './compare-topic.js';
export { compareTopic } from './compare-topic.js';
export { openKafka } from './kafkajs/kafkajs.js';
export type { KafkaOptions } from './kafkajs/kafkajs-client.js';
export {
  type KafkaSecurity,
  type KafkaSecuritySettings,
  KafkaSettingsError,
  kafkaSecurityOf,
} from './kafkajs/security.js';
export type { PartitionStatus, RelayHooks, RelayState } from './partition-status.js';
export { CONTENT_TYPE, HEADERS } from './record.js';
export type { RelayOptions, RelayStatus } from './relay.js';
export { Relay } from './relay.js';
export { RelayStopped, type StopCode } from './stopped.js';
export type { CheckedTopic, TopicOptions, TopicWarning } from './topic.js';
export { EVENTS_TOPIC, ensureTopic, TopicMismatch } from './topic.js';
