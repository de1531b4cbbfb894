export { BulkWorker } from './bulk-worker.js';
export { CurrentReader, type Latest } from './current-reader.js';
export { type DatabaseOptions, openPool } from './database.js';
export { newDetails, newSalt } from './details.js';
export { LogError, type LogErrorCode } from './errors.js';
export { decodeEvent, type Position } from './event-bytes.js';
export type { Feed, FeedEvent, RelayLease, RelayLeases } from './feed.port.js';
export { Finder, type Meant, MOST_SCOPE_HANDLES } from './handles.js';
export { type Checkpoint, History, type ScopeEvent, type SnapshotRow } from './history.js';
export { digest, newSessionId, partitionOfSession } from './ids.js';
export { type Job, type JobOrder, Jobs, MOST_OPEN_JOBS, type Selection } from './jobs.js';
export { identify, type LedgerIdentity, migrate } from './migrate.js';
export { Reaper } from './reaper.js';
export { rotateReceipts } from './receipt-partitions.js';
export { PostgresRelayLeases } from './relay-leases.js';
export { LeaseRenewer, type Renewal } from './renewer.js';
export {
  type Answer,
  type Draft,
  MOST_ATTRIBUTE_BYTES,
  type NewDetails,
  type ReceiptKey,
  type Submission,
} from './submission.js';
export { Tail, type TailListener } from './tail.js';
export { type Place, START, UserScopes, type UserSession } from './user-scopes.js';
export { type OnProgress, type PartitionReport, verifyLog } from './verify.js';
export { LedgerWriter } from './writer.js';
