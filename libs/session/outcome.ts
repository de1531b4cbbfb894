import type { Outcome } from './decision.js';
import type { SessionEvent, SessionEventType } from './events.js';
import { currentOf, type ScopeState, type Session } from './session.js';

/** The outcome of a command, as it is rebuilt from the last event that it made. */
export function outcomeOf(event: SessionEvent): Outcome | undefined {
  switch (event.type) {
    case 'SessionStarted':
      if (!event.insteadOf) return 'started';
      return event.session.recoveredFrom ? 'recovered' : 'started-fresh';
    case 'SessionInvalidated':
      return 'marked-invalid';
    default:
      return outcomes[event.type];
  }
}

/**
 * What is current now, where an answer of before that is given again no longer says so; null: nothing is, though it
 * says that its session was.
 */
export function sinceThen(told: Session, now: ScopeState): { current?: Session | null } {
  const current = currentOf(now);
  if (!current) return told.status === 'ended' ? {} : { current: null };
  const isSame = current.sessionId === told.sessionId && current.revision === told.revision;
  return isSame ? {} : { current };
}

const outcomes: Partial<Record<SessionEventType, Outcome>> = {
  SessionActivated: 'activated',
  SessionRotated: 'rotated',
  OwnershipReleased: 'released',
  OwnershipClaimed: 'claimed',
  AttributesChanged: 'changed',
  HandleBound: 'changed',
  HandleUnbound: 'changed',
  SessionEnding: 'ending',
  SessionEnded: 'ended',
  UsageRecorded: 'recorded',
  CheckpointMarked: 'marked',
  InvalidReported: 'reported',
};
