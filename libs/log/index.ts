// The log in Postgres: commits commands in batches, serves it from memory and from the table, and knows its followers.
// May import session, api, audit, postgres, waiting, pg and uuid.
// Start reading in write/writer.ts, then write/lane.ts: a command's way into the log. read/tail.ts has its end in memory.
export { ask, isDefect, LogError, readError, refuseRead, unavailable, writeError } from './errors.js';
export { decodeEvent, versionOf } from './event-bytes.js';
export type { Feed, FeedEvent, RelayLease, RelayLeases } from './feed.port.js';
export { PostgresRelayLeases } from './followers/relay-leases.js';
export { Reports } from './followers/reports.js';
export { noteALostEvent, noteARestore } from './followers/restores.js';
export { REPLICA, relayStandings, replicasSeen } from './followers/standing.js';
export { makeHandleKey, moveHandleKey, readHandleKey } from './handle-key.js';
export { digest, namingOf, newCommandId, newSessionId, scopeIdOf, versionKey, whoId } from './ids.js';
export { KeyFileError, readKeyFile, writeKeyFile } from './key-files.js';
export { identify, type LedgerIdentity, migrate } from './migrate.js';
export { type Archive, ArchivedError, listArchives, refuseArchivedScope } from './read/archives.js';
export { CurrentReader } from './read/current-reader.js';
export { readFeed, readHeads } from './read/feed-rows.js';
export { Finder } from './read/finder.js';
export { History } from './read/history.js';
export { LogPages } from './read/log-pages.js';
export { type SnapshotRow, Snapshots } from './read/snapshots.js';
export { Tail, type TailListener } from './read/tail.js';
export { START, UserScopes } from './read/user-scopes.js';
export { roleOf } from './roles.js';
export { rotateReceipts } from './write/receipt-partitions.js';
export { lockLeases } from './write/save.js';
export { LedgerWriter } from './write/writer.js';
