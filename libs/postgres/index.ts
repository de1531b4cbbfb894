// Talks to Postgres: connections, statements by name, values in binary form. It knows nothing of sessions.
// May import pg; nothing of the project's.
// Start reading in packet.ts: statements sent in one packet. records.ts has how rows become one parameter.
export { awaitDatabase } from './await-database.js';
export { bigints, booleans, byteas, ints, smallints, texts, timestamps, uuids } from './columns.js';
export { type Composite, readComposites } from './composites.js';
export {
  type DatabaseOptions,
  type Given,
  openClient,
  type Queryable,
  query,
  type Result,
  rowOf,
} from './database.js';
export {
  DatabaseUrlError,
  type DatabaseUrlSettings,
  databaseUrlOf,
  requireVerified,
} from './database-url.js';
export {
  isAnswered,
  isAway,
  isDataError,
  isLockTimeout,
  isReadOnly,
  isRefused,
  isStatementError,
  isUnconnected,
  PostgresAway,
} from './errors.js';
export { StillAtWork } from './given-up.js';
export { Link } from './link.js';
export { type Answered, type Bound, begin, commit, rollback, send, sendOn, type Value } from './packet.js';
export type { Type } from './postgres-types.js';
export * as types from './postgres-types.js';
export { hasUnawaitedStandbys, type Probed, probeWrites, type Writes } from './probe-writes.js';
export { CompositeMismatch, field, type Records, records } from './records.js';
export { openPool, Share, ShareFull } from './share.js';
export { type RowOf, type Statement, statementsIn } from './statements.js';
