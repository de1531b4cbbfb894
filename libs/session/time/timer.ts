import { kindOf, type SessionEvent } from '../events.js';
import { later } from '../rules.js';
import { type Instant, isLapsed, passingOf, type Session } from '../session.js';

/** 30 days, in seconds: the longest time that a lease, its grace or a policy may have. */
export const LONGEST_SECONDS = 2_592_000;

/** When a session's time is over, and whether a renewal may put that off. */
export interface Timer {
  until: Instant;
  /** How long it is. After an outage there is as much time again, at most 60 s. At least 1. */
  seconds: number;
  renewable: boolean;
}

/**
 * The timer of a session as an event or a renewal at `at` leaves it: its lease anew, the grace after a lapse, what its
 * policy gives a released one, or its draining. Undefined when nothing happens to it by time alone.
 */
export function timerOf(session: Session, at: Instant): Timer | undefined {
  const { timer } = passingOf(session);
  switch (timer) {
    case 'lease': {
      if (!session.lease) return undefined;
      const { seconds } = session.lease;
      return { until: later(at, seconds), seconds, renewable: true };
    }
    case 'reservation':
      return fixed(session.expiresAt, isLapsed(session) ? (session.lease?.seconds ?? 1) : patience(session));
    case 'drain':
      return fixed(session.drainUntil, secondsBetween(at, session.drainUntil));
    case 'none':
      return undefined;
    default:
      return timer satisfies never;
  }
}

/** Whether an event starts its session's timer anew. */
export function startsTimer(event: SessionEvent): boolean {
  return kindOf(event).startsTimer;
}

/** How long it stays for others after a release: its reservation, and then what its policy says. */
function patience({ reservedSeconds = 0, policy }: Session): number {
  return Math.min(reservedSeconds + (policy?.endReleasedAfterSeconds ?? 1), LONGEST_SECONDS);
}

/** A timer that no renewal moves. */
function fixed(until: Instant | undefined, seconds: number): Timer | undefined {
  return until === undefined ? undefined : { until, seconds, renewable: false };
}

/** Rounded up; at least 1. */
export function secondsBetween(at: Instant, until: Instant = at): number {
  return Math.max(1, Math.ceil((Date.parse(until) - Date.parse(at)) / 1_000));
}
