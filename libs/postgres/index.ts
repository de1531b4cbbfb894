// Talks to Postgres: connections, statements by name, values in binary form. It knows nothing of sessions.
// May import waiting and pg.
// Start reading in packet.ts: statements sent in one packet. binary.ts has how rows become one parameter.
export { awaitDatabase } from './await-database.js';
export {
  bigints,
  booleans,
  byteas,
  CompositeMismatch,
  field,
  ints,
  type Records,
  records,
  smallints,
  type Type,
  texts,
  timestamps,
  types,
  uuids,
} from './binary.js';
export { readComposites } from './composites.js';
export {
  type DatabaseOptions,
  type Given,
  openClient,
  type Queryable,
  query,
  type Result,
  rowOf,
} from './database.js';
export { DatabaseUrlError, databaseUrlOf, requireVerified } from './database-url.js';
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
export { Link } from './link.js';
export {
  type Bound,
  begin,
  commit,
  type PacketAnswer,
  rollback,
  send,
  sendOn,
  type Value,
} from './packet.js';
export { hasUnawaitedStandbys, type Probed, probeWrites, type Writes } from './probe-writes.js';
export { openPool, Share, ShareFull } from './share.js';
export { type RowOf, type Statement, statementsIn } from './statements.js';
