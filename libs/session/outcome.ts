import type { Outcome } from './decision.js';
import type { SessionEvent, SessionEventType } from './events.js';

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
