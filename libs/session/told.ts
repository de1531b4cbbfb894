import { kindOf, type SessionEvent, sessionOf, type Transition } from './events.js';
import type { Instant, Session, SessionId } from './session.js';
import type { Usage } from './values/usage.js';

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

/** What an event says to the read models. Throws UnknownEventType for an event that a newer version has written. */
export function toldBy(event: SessionEvent, at: Instant): Told {
  const { transition: transitionOf, begins } = kindOf(event);
  const transition = transitionOf?.(event, at);
  const session = sessionOf(event);
  const isBoth = 'session' in event && 'previous' in event;
  const sessions = isBoth ? [event.previous, event.session] : session ? [session] : [];
  return {
    sessions,
    ...(begins && session && { began: session.sessionId }),
    ...(transition && { transition }),
    ...(event.type === 'UsageRecorded' && { usage: event.usage }),
  };
}
