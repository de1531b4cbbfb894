import type { SessionEvent } from '../events.js';
import { ended, later } from '../rules.js';
import { currentOf, type Instant, type Owner, passingOf, type ScopeState, type Session } from '../session.js';

/** What follows when the current session's time is over. 8 */
export function settle(known: ScopeState, at: Instant): SessionEvent[] {
  const current = currentOf(known);
  if (!current) return [];
  const { over } = passingOf(current);
  switch (over) {
    case 'lapses':
      return current.lease?.onLapse === 'end' ? [expire(current, at)] : lapse(current, at);
    case 'expires':
      return [expire(current, at)];
    case 'ends':
      return [drained(current, at)];
    case 'stays':
      return [];
    default:
      return over satisfies never;
  }
}

/** It ends as whoever let it drain wanted it to. */
function drained(current: Session, at: Instant): SessionEvent {
  const { endReason, endedBy = current.owner ?? nobody } = current;
  const session: Session = { ...ended(current, at, 'ended'), ...(endReason && { endReason }), endedBy };
  return { type: 'SessionEnded', session, origin: endedBy };
}

/** It is released, and waits for its old owner for a grace. */
function lapse(current: Session, at: Instant): SessionEvent[] {
  const { owner, lease, ...rest } = current;
  const until = later(at, lease?.graceSeconds ?? 0);
  const session: Session = {
    ...rest,
    status: 'released',
    epoch: current.epoch + 1,
    revision: current.revision + 1,
    ...(lease && { lease }),
    ...(owner && { previousOwner: owner, reservedFor: owner }),
    reservedUntil: until,
    expiresAt: until,
  };
  const lapsed = { type: 'OwnershipLapsed', session } as const;
  return until > at ? [lapsed] : [lapsed, expire(session, at)];
}

function expire(session: Session, at: Instant): SessionEvent {
  return { type: 'SessionExpired', session: ended(session, at, 'expired') };
}

const nobody: Owner = { environment: 'unknown' };
