// The package that others install: starts, keeps and follows sessions of a ledger.
// May import tlog and waiting, and Node in node.ts: there is nothing to install with it.
// Start reading in ledger-client.ts: owning/ holds a session, following/ hears of all, resolving/ finds one,
// proving/ checks what is told, calls/ asks.

export { TlogError, type TlogFault } from '#tlog';
export type { AnswerOf, CallOptions, RequestOf } from './calls/transport.js';
export {
  type AnyLedgerProblem,
  ClientBusy,
  CredentialError,
  isProblem,
  LedgerError,
  LedgerProblem,
  NoAnswer,
  UnexpectedAnswer,
} from './errors.js';
export { CurrentReplica, ReplicaFull, type ReplicaOptions } from './following/current-replica.js';
export {
  type EventSource,
  FollowerStopped,
  feedSource,
  type Positions,
  type Reading,
  type StopCode,
} from './following/event-source.js';
export { BadEvent, type FollowedEvent, type SessionInEvent } from './following/followed-event.js';
export { Follower, type FollowOptions } from './following/follower.js';
export type { FollowedTo } from './following/handler.js';
export { type FollowerCounts, Gap } from './following/sequencer.js';
export { type Behind, Stalled } from './following/stall-watch.js';
export type {
  CommandAnswer,
  EventPage,
  EventType,
  Handle,
  Lease,
  LedgerEvent,
  OperationId,
  Operations,
  Owner,
  Position,
  Problem,
  ProblemCode,
  Session,
  UsageTotals,
} from './generated/api.js';
export { CURRENT_STATUSES, EVENT_TYPES, problems, routes } from './generated/api.js';
export {
  type ClaimRequest,
  type JoinRequest,
  LedgerClient,
  type LedgerOptions,
  type ScopeName,
  type StartRequest,
} from './ledger-client.js';
export { Fence, FenceFull, type FenceSql, fenceSql } from './owning/fence.js';
export { type HeldState, NotHeld } from './owning/gate.js';
export type { Loss, LossReason } from './owning/loss.js';
export { type Guarded, OwnedSession } from './owning/owned-session.js';
export { SessionGuards } from './owning/session-guards.js';
export { type AuditLog, auditLog } from './proving/audit-log.js';
export { leafHash, nodeHash, sha256 } from './proving/sha256.js';
export { type SignedCheckpoint, verifyCheckpoint } from './proving/verifier.js';
export {
  type ConsistencyOfTrees,
  type EventProof,
  type VerifiedEvent,
  verifyConsistency,
  verifyEvent,
} from './proving/verify-event.js';
export { type Realm, type SessionName, SessionReference } from './resolving/reference.js';
export {
  type CallSessions,
  type Candidate,
  type CandidateSource,
  type Resolved,
  type ResolverOptions,
  SessionMismatch,
  SessionResolver,
} from './resolving/resolver.js';
