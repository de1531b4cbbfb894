import type { Handle } from './handles.js';
import type { Epoch, Owner, Session, SessionId } from './session.js';
import type { Usage } from './usage.js';

/** Somebody with `operate` did it in place of the owner. */
interface Forced {
  forced?: true;
  /** The principal that forced it. */
  operator?: string;
}

/**
 * What happened, in the past tense. Each carries the session as it is afterwards, so a reader needs no
 * other event to know what is current: `session` is the scope's latest session, `previous` one that ended
 * before it. Stored names never change; an old shape is upcast when read.
 */
export type SessionEvent =
  /** With `insteadOf`: a recovery. That session was invalid; this one continues a valid one, or starts fresh. */
  | { type: 'SessionStarted'; session: Session; insteadOf?: SessionId }
  | { type: 'SessionActivated'; session: Session }
  | { type: 'SessionSuperseded'; session: Session; by: Owner }
  | { type: 'SessionRotated'; session: Session; previous: Session }
  | ({ type: 'OwnershipReleased'; session: Session } & Forced)
  // Who forced a claim is the session's principal from then on.
  | { type: 'OwnershipClaimed'; session: Session; forced?: true }
  | { type: 'OwnershipLapsed'; session: Session }
  | { type: 'SessionExpired'; session: Session }
  | { type: 'AttributesChanged'; session: Session }
  | { type: 'HandleBound'; session: Session; handle: Handle }
  | { type: 'HandleUnbound'; session: Session; handle: Handle }
  | ({ type: 'SessionEnding'; session: Session; origin: Owner } & Forced)
  | ({ type: 'SessionEnded'; session: Session; origin: Owner } & Forced)
  // With the session when one is current: its attributes read `erased` from then on.
  | { type: 'DetailsErased'; session: Session; operator: string }
  | { type: 'DetailsErased'; operator: string }
  | { type: 'StopIgnored'; sessionId: SessionId; origin: Owner; epoch: Epoch; why: StopIgnoredWhy }
  /** What one operation used, as reported; the session has the sums. Asked for by a rotation it comes before that. */
  | ({ type: 'UsageRecorded'; usage: Usage } & Of)
  /** A place to return to. The session is as it was. */
  | ({ type: 'CheckpointMarked'; label: string } & Of)
  /** The session can't be continued: ended by it if it was current, else only marked. */
  | ({ type: 'SessionInvalidated' } & Of)
  /** A failure that may pass. The session is as it was, and stays. `retryAfter`: seconds. */
  | { type: 'InvalidReported'; session: Session; reason: string; retryAfter: number };

/** About the scope's latest session, or about one before it, which stays ended as it was. */
type Of = { session: Session } | { previous: Session };

export type SessionEventType = SessionEvent['type'];

/** Why a stop was not obeyed: how the session that it named had ended, or what did not match. */
export type StopIgnoredWhy =
  | 'ended'
  | 'superseded'
  | 'rotated'
  | 'expired'
  | 'invalid'
  | 'reset'
  | 'stale-epoch'
  | 'not-owner';
