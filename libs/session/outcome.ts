import { EVENT_OUTCOMES, type EventOutcome } from './events.js';
import { currentOf, type ScopeState, type Session } from './session.js';

/** Outcomes without an event, or whose event does not always say the same. */
const OTHERS = [
  'started',
  'joined',
  'already-rotated',
  'already-ended',
  'renewed',
  'erased',
  'settled',
  'recovered',
  'started-fresh',
  'already-recovered',
  'unchanged',
] as const;

/** What becomes of a command that is obeyed. An outcome of an event stands in the table of events. */
export type Outcome = EventOutcome | (typeof OTHERS)[number];

export const OUTCOMES: readonly Outcome[] = [...EVENT_OUTCOMES, ...OTHERS];

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
