import type { Scope } from './scope.js';
import type { Epoch, Instant, Owner, SessionId } from './session.js';

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
  attributesDigest?: string;
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
  reason: string;
  versionId?: string;
  /** Keyed hash of the provider's name for the successor. */
  successorHandle?: string;
}

export interface ReleaseOwnership extends ByOwner {
  type: 'ReleaseOwnership';
  to?: Owner;
  /** How long only `to` may claim. Whole seconds. */
  reservedSeconds?: number;
}

export interface ClaimOwnership extends ForSession {
  type: 'ClaimOwnership';
  owner: Owner;
  force?: boolean;
}

export interface EndSession extends ForSession {
  type: 'EndSession';
  /** Who asks for the stop. */
  origin: Owner;
  reason: string;
  force?: boolean;
}

export type SessionCommand = ActivateSession | RotateSession | ReleaseOwnership | ClaimOwnership | EndSession;

export type Command = StartSession | SessionCommand;
