import { currentOf, type ScopeState, type Session } from './session.js';

/** What becomes of a command that is obeyed. */
export const OUTCOMES = [
  'started',
  'joined',
  'claimed',
  'activated',
  'rotated',
  'already-rotated',
  'released',
  'ended',
  'already-ended',
  'ending',
  'renewed',
  'changed',
  'erased',
  'settled',
  'recorded',
  'marked',
  'recovered',
  'started-fresh',
  'already-recovered',
  'marked-invalid',
  'reported',
  'unchanged',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

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
