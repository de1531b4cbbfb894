import type { FaultKind, Inflict } from './fault.js';
import * as network from './network.js';
import * as postgres from './postgres.js';
import * as processes from './processes.js';

export { type Fault, type FaultKind, nameOf } from './fault.js';
export { tablesOf } from './postgres.js';

/** How each kind of fault is inflicted. */
export const inflict: Readonly<Record<FaultKind, Inflict>> = {
  'replica killed': processes.killReplica,
  'replica paused': processes.pauseReplica,
  'table locked': postgres.lockTable,
  'head locked': postgres.lockHead,
  'backends killed': postgres.killBackends,
  'backend paused': postgres.pauseBackend,
  'Postgres stopped': processes.stopPostgres,
  'Kafka stopped': processes.stopKafka,
  'clients cut off': network.cutClients,
  'answers to clients lost': network.loseAnswersToClients,
  'clients not answered': network.answerNoClients,
  'database cut off': network.cutDatabase,
  'answers to commits lost': network.loseAnswersToCommits,
  'answers of the database lost': network.loseAnswersOfDatabase,
  'database silent': network.silenceDatabase,
  'database slow': network.slowDatabase,
};
