import type { Handle, NewHandle } from './handles.js';
import type { Scope } from './scope.js';
import type { ChainPolicy, Epoch, Instant, LeaseTerms, Owner, SessionId } from './session.js';
import type { Usage } from './usage.js';

/** What every command brings along, so that deciding needs no clock, no random number and no credential. */
export interface Issued {
  /** The log's time, set under the partition's lock. */
  at: Instant;
  principal: string;
  /** Whether the principal may act for owners other than itself. */
  operate: boolean;
}

export interface StartSession extends Issued {
  type: 'StartSession';
  scope: Scope;
  /** The id to use if a session starts. */
  sessionId: SessionId;
  owner: Owner;
  onConflict: 'supersede' | 'reject' | 'join';
  /** Refused unless the scope's epoch is this one; 0 means that there was none yet. */
  expectedEpoch?: Epoch;
  phase?: 'starting';
  lease?: LeaseTerms;
  handles?: readonly NewHandle[];
  attributesDigest?: string;
  policy?: ChainPolicy;
  /** The label of a checkpoint of the scope, whose session the new one continues. */
  fromCheckpoint?: string;
}

/** A command for the session that it names, under the epoch that its sender believes in. */
interface ForSession extends Issued {
  sessionId: SessionId;
  epoch: Epoch;
}

/** When `owner` is given it has to be the session's. */
interface ByOwner extends ForSession {
  owner?: Owner;
}

export interface ActivateSession extends ByOwner {
  type: 'ActivateSession';
}

export interface RotateSession extends ByOwner {
  type: 'RotateSession';
  /** The id that the successor gets. */
  successorId: SessionId;
  /** `reset` starts a new chain. */
  reason: string;
  versionId?: string;
  /** The provider's name for the successor: bound to it, and the same one again gets the same successor. */
  successorHandle?: Handle;
  /** More outside names to bind. */
  handles?: readonly NewHandle[];
  /** Of the operation that has just finished on the session which is rotated away. */
  usage?: Usage;
}

export interface ReleaseOwnership extends ByOwner {
  type: 'ReleaseOwnership';
  to?: Owner;
  /** How long only `to` may claim. Whole seconds. */
  reservedSeconds?: number;
  /** Whoever owns it. Needs `operate`. */
  force?: boolean;
}

export interface ClaimOwnership extends ForSession {
  type: 'ClaimOwnership';
  owner: Owner;
  /** In place of the session's own terms. */
  lease?: LeaseTerms;
  force?: boolean;
}

export interface EndSession extends ForSession {
  type: 'EndSession';
  /** Who asks for the stop. */
  origin: Owner;
  reason: string;
  /** Ends only when the owner confirms it by the same command without this, or after so many seconds. */
  drainSeconds?: number;
  force?: boolean;
}

/** Writes no event: the lease's end is a row of its own. */
export interface RenewLease extends ForSession {
  type: 'RenewLease';
}

/** A sign of use, from whoever uses the session. Needs no epoch, because it can only lengthen a lease. */
export interface TouchSession extends Issued {
  type: 'TouchSession';
  sessionId: SessionId;
}

/** Forgets the details of all of a scope's sessions, current and past. The scope has to have had one. */
export interface EraseScope extends Issued {
  type: 'EraseScope';
  scope: Scope;
}

/** From the reaper: if the session's time is over, let the log say so. */
export interface SettleSession extends Issued {
  type: 'SettleSession';
  sessionId: SessionId;
}

export interface ChangeAttributes extends ByOwner {
  type: 'ChangeAttributes';
  /** Of the attributes after the change; undefined when none are left. */
  attributesDigest: string | undefined;
}

export interface ChangeHandles extends ByOwner {
  type: 'ChangeHandles';
  bind: readonly NewHandle[];
  unbind: readonly Handle[];
}

/** What an operation used. Needs no epoch and no owner: it only adds to the session's sums, also late. */
export interface RecordUsage extends Issued {
  type: 'RecordUsage';
  sessionId: SessionId;
  usage: Usage;
}

/** Names a session of the scope as one to return to. Needs no epoch: it changes no session. */
export interface MarkCheckpoint extends Issued {
  type: 'MarkCheckpoint';
  sessionId: SessionId;
  /** 1 to 128 characters; stays in the log. */
  label: string;
}

/** The session's provider will not continue it. */
export interface ReportInvalid extends ByOwner {
  type: 'ReportInvalid';
  /** `transient`: it may yet; then nothing is discarded. */
  certainty: 'definite' | 'transient';
  reason: string;
  /** What to go on from; `latest-valid` starts fresh, too, when there is none. */
  fallback: 'latest-valid' | 'start-fresh';
  /** The id that the session in its place gets. */
  successorId: SessionId;
}

export type SessionCommand =
  | ActivateSession
  | RotateSession
  | ReleaseOwnership
  | ClaimOwnership
  | EndSession
  | RenewLease
  | TouchSession
  | SettleSession
  | ChangeAttributes
  | ChangeHandles
  | RecordUsage
  | MarkCheckpoint
  | ReportInvalid;

/** A command for a scope: it names no session. */
export type ScopeCommand = StartSession | EraseScope;

export type Command = ScopeCommand | SessionCommand;

/** A command before the log gives it its time. */
export type Untimed<T = Command> = T extends unknown ? Omit<T, 'at'> : never;
