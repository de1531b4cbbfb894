import type { SessionEvent, StopIgnoredWhy } from './events.js';
import type { HandleChange } from './handles.js';
import type { Outcome } from './outcome.js';
import type { RefusalCode } from './refusals.js';
import type { Instant, Session } from './session.js';

/** A command that was not obeyed, and what its sender needs next. */
export interface Refusal {
  code: RefusalCode;
  current?: Session;
  /** For `reserved`: when it is over. */
  until?: Instant;
  /** For `handle-taken`: the kind of the one that is. */
  handle?: string;
  /** For `reserved` and `session-ending`: in how many seconds, rounded up, the reservation or the drain is over. */
  retryAfter?: number;
}

/** What a start may bring along that a session which it joins or claims keeps as it was. */
export type IgnoredPart = 'attributes' | 'fromCheckpoint' | 'lease' | 'phase' | 'policy';

/** `session` is the one that the command was about, as it is afterwards. */
export interface Accepted {
  outcome: Outcome;
  session: Session;
  /** Empty when there was nothing to do. */
  events: SessionEvent[];
  /** How many of them, the first ones, time alone has brought about: nobody has asked for them. None when left out. */
  settled?: number;
  /** The session's lease starts anew, without an event. */
  renews?: true;
  /** What becomes of outside names, in this order. Those that bind to the scope make no event. */
  handles?: readonly HandleChange[];
  /** The current session, where `session` may be history. */
  current?: Session;
  /** What a start asked for and did not get, because it did not start a session. */
  ignored?: readonly IgnoredPart[];
  /** For `reported`: in how many seconds the session should be tried again. */
  retryAfter?: number;
}

export interface Refused {
  refusal: Refusal;
  /** What time had brought about before, and at most one StopIgnored: none when it was recorded before. */
  events: SessionEvent[];
  /** How many of them, the first ones, time alone has brought about. None when left out. */
  settled?: number;
  /** Set when a stop was ignored, first or again: what to count it under. */
  ignored?: StopIgnoredWhy;
}

export type Decision = Accepted | Refused;

export function accept(outcome: Outcome, session: Session, ...events: SessionEvent[]): Accepted {
  return { outcome, session, events };
}

export function refuse(code: RefusalCode, more: Omit<Refusal, 'code'> = {}): Refused {
  return { refusal: { code, ...more }, events: [] };
}
