import type { SessionEvent } from './events.js';
import type { EndCause, Instant, Owner, Session, SessionId } from './session.js';
import type { Usage } from './usage.js';

/** A change of which session is current: why, from which to which, and by whom. */
export interface Transition {
  source: 'started' | 'recovered' | EndCause;
  /** The session that was current; absent when there was none. */
  from?: SessionId;
  /** The one that is current now; absent when none is. */
  to?: SessionId;
  /** Who asked for it; absent when time alone did. */
  by?: Owner;
  reason?: string;
  versionId?: string;
  at: Instant;
}

/** What one event says to the read models. */
export interface Told {
  /** Sessions as they are after it. */
  sessions: readonly Session[];
  /** Which of them it began. */
  began?: SessionId;
  transition?: Transition;
  /** A report, of the one session. */
  usage?: Usage;
}

/** An event's place, and what it says. */
export interface PlacedTold extends Told {
  sequence: number;
  scopeId: string;
}

/** An event of a type that this version does not know. To go on without it would be to answer wrongly. */
export class UnknownEventType extends Error {
  override readonly name = 'UnknownEventType';
}

const nothing: Told = { sessions: [] };

/**
 * What an event says to the read models: the one place to tell about a new type, and the compiler insists on it.
 * Throws UnknownEventType for an event that a newer version has written.
 */
export function toldBy(event: SessionEvent, at: Instant): Told {
  switch (event.type) {
    case 'SessionStarted': {
      const { session, insteadOf: from } = event;
      const how = from ? ({ source: 'recovered', from } as const) : ({ source: 'started' } as const);
      const transition: Transition = { ...how, to: session.sessionId, ...about(session), at };
      return { sessions: [session], began: session.sessionId, transition };
    }
    case 'SessionRotated': {
      const { session, previous } = event;
      const { sessionId: from, endCause: source = 'rotated' } = previous;
      const to = session.sessionId;
      const transition: Transition = { source, from, to, ...about(session), at };
      return { sessions: [previous, session], began: to, transition };
    }
    case 'SessionSuperseded': {
      const { session, by } = event;
      const { sessionId: from, successorId: to } = session;
      return { sessions: [session], transition: { source: 'superseded', from, ...(to && { to }), by, at } };
    }
    case 'SessionEnded':
      return { sessions: [event.session], transition: { ...gone(event.session), by: event.origin, at } };
    case 'SessionExpired':
      return { sessions: [event.session], transition: { ...gone(event.session), at } };
    case 'SessionActivated':
    case 'SessionEnding':
    case 'OwnershipReleased':
    case 'OwnershipClaimed':
    case 'OwnershipLapsed':
    case 'AttributesChanged':
    case 'HandleBound':
    case 'HandleUnbound':
      return { sessions: [event.session] };
    case 'UsageRecorded':
      return { sessions: ['session' in event ? event.session : event.previous], usage: event.usage };
    case 'CheckpointMarked':
      return { sessions: ['session' in event ? event.session : event.previous] };
    case 'InvalidReported':
      return { sessions: [event.session] };
    case 'SessionInvalidated':
      if ('previous' in event) return { sessions: [event.previous] };
      return { sessions: [event.session], transition: { ...gone(event.session), at } };
    case 'DetailsErased':
      return 'session' in event ? { sessions: [event.session] } : nothing;
    case 'StopIgnored':
      return nothing;
    default:
      return refuse(event);
  }
}

function about({ owner, reason, versionId }: Session): Pick<Transition, 'by' | 'reason' | 'versionId'> {
  return { ...(owner && { by: owner }), ...(reason && { reason }), ...(versionId && { versionId }) };
}

function gone({ sessionId, endCause = 'ended', endReason, invalid }: Session): Omit<Transition, 'at'> {
  const reason = endReason ?? invalid?.reason;
  return { source: endCause, from: sessionId, ...(reason && { reason }) };
}

function refuse(event: never): never {
  const { type } = event as { type?: string };
  throw new UnknownEventType(
    `${type ?? 'an event'} is of a type that this version does not know: run a newer version`,
  );
}
