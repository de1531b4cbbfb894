// The log in Postgres: commits commands in batches, reads it, and keeps jobs, projections and the archive.
// May import session, api, audit, postgres, waiting, pg and uuid.
// Start reading in writer.ts, then lane.ts: a command's way into the log. tail.ts has its end in memory.
export { parseAge } from './archive/age.js';
export {
  type ArchiveOptions,
  type ArchiveProgress,
  type ArchiveSummary,
  archive,
} from './archive/archive.js';
export { type Archive, ArchivedError, listArchives } from './archive/archives.js';
export { ArchiveError, type ArchiveErrorCode } from './archive/errors.js';
export type { ArchivedEvent, ArchiveHeader } from './archive/format.js';
export { type ArchiveSeal, checksumOf, readArchive, verifyArchive } from './archive/read-archive.js';
export { replayFrom } from './archive/replay.js';
export { BulkWorker } from './bulk-worker.js';
export { CurrentReader } from './current-reader.js';
export { LogError, type LogErrorCode } from './errors.js';
export { decodeEvent } from './event-bytes.js';
export type { Feed, FeedEvent, RelayLease, RelayLeases } from './feed.port.js';
export { Finder } from './finder.js';

export { History, type SnapshotRow } from './history.js';

export { digest, newCommandId, newSessionId } from './ids.js';
export { type Job, Jobs, MOST_OPEN_JOBS } from './jobs.js';
export { identify, type LedgerIdentity, migrate } from './migrate.js';
export { namingOf } from './naming.js';
export { projectedUpTo } from './projections/projected-up-to.js';
export { type Projected, Projector } from './projections/projector.js';
export { Reached } from './projections/reached.js';
export { ReadModels } from './projections/read-models.js';
export { type RebuildOptions, type RebuildProgress, rebuild } from './projections/rebuild.js';
export {
  type Difference,
  type VerifyOptions,
  type VerifyProgress,
  verifyProjections,
} from './projections/verify.js';
export { Reaper } from './reaper.js';
export { rotateReceipts } from './receipt-partitions.js';
export { PostgresRelayLeases } from './relay-leases.js';
export { LeaseRenewer } from './renewer.js';
export { MOST_REPORTS, Reports } from './reports.js';
export { noteALostEvent, noteARestore } from './restores.js';
export { Tail, type TailListener } from './tail.js';
export { UserScopes } from './user-scopes.js';
export { type OnProgress, type PartitionReport, verifyLog } from './verify.js';
export { LedgerWriter } from './writer.js';
