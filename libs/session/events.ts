import type { Handle } from './handles.js';
import type { EndCause, Epoch, Instant, Owner, ScopeState, Session, SessionId } from './session.js';
import type { Usage } from './values/usage.js';

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

/** Every type's event: `EventOf<'SessionEnded'>`. */
export type EventOf<Type extends SessionEventType> = Extract<SessionEvent, { type: Type }>;

/** The session that an event is about: as its scope has it now, or one that has ended before. Undefined: about none. */
export function sessionOf(event: SessionEvent): Session | undefined {
  return 'session' in event ? event.session : 'previous' in event ? event.previous : undefined;
}

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

/** What has to be known of a type of event, besides what it carries. */
interface Kind<Type extends SessionEventType> {
  /**
   * The outcome of the command whose last event it is, as a receipt answers it again. `none`: no command that takes an
   * idempotency key ends with such an event.
   */
  answers: Lowercase<string> | ((event: EventOf<Type>) => Lowercase<string>);
  /** Whether it starts its session's timer anew: not what anybody may cause, or what changes nothing. */
  startsTimer: boolean;
  /** Whether its session begins with it; left out: it was there before. */
  begins?: true;
  /** The change of which session is current; left out: there is none. */
  transition?: (event: EventOf<Type>, at: Instant) => Transition | undefined;
}

type Kinds = { readonly [Type in SessionEventType]: Kind<Type> };

/**
 * The one table of events. A new type stands in SessionEvent and here: what folds, answers, times, stores and projects
 * it reads from this table, and the compiler refuses a type that has no entry.
 */
const kinds = {
  SessionStarted: {
    answers: ({ insteadOf, session }) =>
      insteadOf ? (session.recoveredFrom ? 'recovered' : 'started-fresh') : 'started',
    startsTimer: true,
    begins: true,
    transition({ session, insteadOf: from }, at) {
      const how = from ? ({ source: 'recovered', from } as const) : ({ source: 'started' } as const);
      return { ...how, to: session.sessionId, ...about(session), at };
    },
  },
  SessionActivated: { answers: 'activated', startsTimer: true },
  SessionSuperseded: {
    answers: 'none',
    startsTimer: true,
    transition({ session: { sessionId: from, successorId: to }, by }, at) {
      return { source: 'superseded', from, ...(to && { to }), by, at };
    },
  },
  SessionRotated: {
    answers: 'rotated',
    startsTimer: true,
    begins: true,
    transition({ session, previous: { sessionId: from, endCause: source = 'rotated' } }, at) {
      return { source, from, to: session.sessionId, ...about(session), at };
    },
  },
  OwnershipReleased: { answers: 'released', startsTimer: true },
  OwnershipClaimed: { answers: 'claimed', startsTimer: true },
  OwnershipLapsed: { answers: 'none', startsTimer: true },
  SessionExpired: {
    answers: 'none',
    startsTimer: true,
    transition: ({ session }, at) => ({ ...gone(session), at }),
  },
  AttributesChanged: { answers: 'changed', startsTimer: true },
  HandleBound: { answers: 'changed', startsTimer: true },
  HandleUnbound: { answers: 'changed', startsTimer: true },
  DetailsErased: { answers: 'none', startsTimer: false },
  SessionEnding: { answers: 'ending', startsTimer: true },
  SessionEnded: {
    answers: 'ended',
    startsTimer: true,
    transition: ({ session, origin: by }, at) => ({ ...gone(session), by, at }),
  },
  StopIgnored: { answers: 'none', startsTimer: false },
  UsageRecorded: { answers: 'recorded', startsTimer: false },
  CheckpointMarked: { answers: 'marked', startsTimer: false },
  SessionInvalidated: {
    answers: 'marked-invalid',
    startsTimer: true,
    transition: (event, at) => ('session' in event ? { ...gone(event.session), at } : undefined),
  },
  InvalidReported: { answers: 'reported', startsTimer: false },
} as const satisfies Kinds;
const table: Kinds = kinds;

type Answers<Of> = Of extends { answers: (...event: never) => infer Outcome }
  ? Outcome
  : Of extends { answers: infer Outcome }
    ? Outcome
    : never;
/** What becomes of a command that makes an event, as its receipt says. A template, so that no literal of it widens. */
export type EventOutcome = `${Exclude<Answers<(typeof kinds)[SessionEventType]>, 'none'>}`;

/** All types, in the order of the table. */
export const EVENT_TYPES = Object.keys(kinds) as SessionEventType[];

/** The outcomes of events that say the same whatever they carry. */
export const EVENT_OUTCOMES: readonly EventOutcome[] = outcomesOf(() => true);

/** What commands answer after which their session's timer runs from its beginning. */
export const TIMER_OUTCOMES: readonly EventOutcome[] = outcomesOf(({ startsTimer }) => startsTimer);

function outcomesOf(isMeant: (kind: { startsTimer: boolean }) => boolean): EventOutcome[] {
  const meant = Object.values(kinds).filter(isMeant);
  const outcomes = meant.flatMap(({ answers }) =>
    typeof answers === 'string' && answers !== 'none' ? [answers] : [],
  );
  return [...new Set(outcomes)];
}

/** An event of a type that this version does not know. To go on without it would be to answer wrongly. */
export class UnknownEventType extends Error {
  override readonly name = 'UnknownEventType';
}

/** What the table says of an event. Throws UnknownEventType for one that a newer version has written. */
export function kindOf<Type extends SessionEventType>(event: EventOf<Type>): Kind<Type> {
  if (Object.hasOwn(table, event.type)) return table[event.type as Type];
  throw new UnknownEventType(
    `${event.type ?? 'an event'} is of a type that this version does not know: run a newer version`,
  );
}

/** The outcome of a command, as it is rebuilt from the last event that it made; undefined when no receipt asks for it. */
export function outcomeOf(event: SessionEvent): EventOutcome | undefined {
  const { answers } = kindOf(event);
  const outcome = typeof answers === 'function' ? answers(event) : answers;
  return outcome === 'none' ? undefined : (outcome as EventOutcome);
}

function about({ owner, reason, versionId }: Session): Pick<Transition, 'by' | 'reason' | 'versionId'> {
  return { ...(owner && { by: owner }), ...(reason && { reason }), ...(versionId && { versionId }) };
}

function gone({ sessionId, endCause = 'ended', endReason, invalid }: Session): Omit<Transition, 'at'> {
  const reason = endReason ?? invalid?.reason;
  return { source: endCause, from: sessionId, ...(reason && { reason }) };
}

/** The state after an event: whatever its type, `session` is the scope's latest one from then on. */
export function evolve(state: ScopeState, event: SessionEvent): ScopeState {
  const version = state.version + 1;
  return 'session' in event ? { version, latest: event.session } : { ...state, version };
}
