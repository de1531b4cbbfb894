// The package that others install: starts, keeps and follows sessions of a ledger.
// May import waiting alone, and Node in node.ts: there is nothing to install with it.
// Start reading in ledger-client.ts; follower.ts is the other half.
export {
  type AnyLedgerProblem,
  ClientBusy,
  isProblem,
  LedgerError,
  LedgerProblem,
  NoAnswer,
  UnexpectedAnswer,
} from './errors.js';
export { BadEvent, type FollowedEvent, type SessionInEvent } from './event.js';
export {
  type EventSource,
  FollowerStopped,
  feedSource,
  type Positions,
  type Reading,
  type StopCode,
} from './event-source.js';
export { Fence, FenceFull, type FenceSql, fenceSql } from './fence.js';
export { Follower, type FollowOptions } from './follower.js';
export { type HeldState, NotHeld } from './gate.js';
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
export { problems, routes } from './generated/api.js';
export type { FollowedTo } from './handler.js';
export {
  type ClaimRequest,
  type JoinRequest,
  LedgerClient,
  type LedgerOptions,
  type ScopeName,
  type StartRequest,
} from './ledger-client.js';
export type { Loss, LossReason } from './loss.js';
export { type Guarded, OwnedSession } from './owned-session.js';
export { type Realm, type SessionName, SessionReference } from './reference.js';
export { CurrentReplica, ReplicaFull, type ReplicaOptions } from './replica.js';
export {
  type CallSessions,
  type Candidate,
  type CandidateSource,
  type Resolved,
  type ResolverOptions,
  SessionMismatch,
  SessionResolver,
} from './resolver.js';
export { type FollowerCounts, Gap } from './sequencer.js';
export { SessionGuards } from './session-guards.js';
export { type Behind, Stalled } from './stall-watch.js';
export type { AnswerOf, CallOptions, RequestOf } from './transport.js';
