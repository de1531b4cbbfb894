export { DevStackError } from './errors.js';
export { type KafkaOptions, type RunningKafka, startKafka, stopLeftoverKafka } from './kafka.js';
export { freePort } from './ports.js';
export {
  type PostgresOptions,
  type RunningPostgres,
  startPostgres,
  stopLeftoverPostgres,
} from './postgres.js';
