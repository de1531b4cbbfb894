// Kafka: the topic of the events, and the relay that mirrors the log into it.
// May import waiting, kafkajs, and the types of log.
// Start reading in relay.ts, then partition-relay.ts. broker.port.ts has all that is wanted of Kafka; kafkajs/ gives it.
export type { KafkaPort, KafkaRecord, OutgoingRecord, TopicSpec } from './broker.port.js';
export { ProducerLost } from './broker.port.js';
export type { TopicReport } from './compare-topic.js';
export { compareTopic } from './compare-topic.js';
export { openKafka } from './kafkajs/kafkajs.js';
export type { KafkaOptions } from './kafkajs/kafkajs-client.js';
export { type KafkaSecurity, KafkaSettingsError, kafkaSecurityOf } from './kafkajs/security.js';
export type { RelayState } from './partition-status.js';
export { CONTENT_TYPE, HEADERS } from './record.js';
export type { RelayOptions } from './relay.js';
export { Relay } from './relay.js';
export type { StopCode } from './stopped.js';
export { EVENTS_TOPIC, ensureTopic } from './topic.js';
