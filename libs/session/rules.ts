import { type Accepted, accept, type Decision, type Refused, refuse } from './decision.js';
import type { SessionEvent } from './events.js';
import type { ByOwner, ForSession, Issued } from './issued.js';
import type { Known } from './known.js';
import type { Outcome } from './outcome.js';
import {
  copyWithout,
  currentOf,
  type EndCause,
  epochOf,
  type Instant,
  type Owner,
  ownerMatches,
  type Session,
} from './session.js';

/** The current session if the command names it under its epoch; otherwise what to answer. 5, 13, 14 */
export function fenced(command: ForSession, known: Known): Session | Refused {
  const current = currentOf(known);
  if (command.epoch > epochOf(known)) return refuse('future-epoch', about(current));
  if (!current) return refuse('session-ended');
  if (current.sessionId !== command.sessionId) return refuse('stale-session', { current });
  if (command.epoch < current.epoch) return refuse('stale-epoch', { current });
  return current;
}

/** The current session if the command names it under its epoch and comes from its owner; otherwise what to answer. */
export function owned(command: ByOwner, known: Known): Session | Refused {
  const current = fenced(command, known);
  if ('refusal' in current || isOwner(command, current, command.owner)) return current;
  return refuse('not-owner', { current });
}

export function isPrincipal(issued: Issued, session: Session): boolean {
  return issued.operate || issued.principal === session.principal;
}

export function isOwner(issued: Issued, session: Session, asking: Owner | undefined): boolean {
  if (!session.owner || !isPrincipal(issued, session)) return false;
  return asking === undefined || ownerMatches(session.owner, asking);
}

/** Whether a session that has ended was the asking one's. */
export function wasOwner(issued: Issued, session: Session, asking: Owner | undefined): boolean {
  if (!isPrincipal(issued, session)) return false;
  return asking === undefined || ownerMatches(session.owner ?? session.previousOwner, asking);
}

/** The session that a command names, current or not: never another one, whatever else is known. */
export function namedBy({ sessionId }: Pick<ForSession, 'sessionId'>, known: Known): Session | undefined {
  return [known.past, known.latest].find((one) => one?.sessionId === sessionId);
}

/** A session that is not known any more is not the current one. */
export function gone(known: Known): Refused {
  const current = currentOf(known);
  return current ? refuse('stale-session', { current }) : refuse('session-ended');
}

/** How an event carries the session that it is about: as what the scope has now, or as its past. */
export function carried(session: Session, known: Known): { session: Session } | { previous: Session } {
  return session.sessionId === known.latest?.sessionId ? { session } : { previous: session };
}

/** The last state of a session, a stop that ended it aside; its epoch and revision are those of the change that ended it. */
export function ended(session: Session, at: Instant, endCause: EndCause): Session {
  const last: Session = copyWithout(session, OF_THE_LIVING);
  last.status = 'ended';
  last.epoch = session.epoch + 1;
  last.revision = session.revision + 1;
  last.endedAt = at;
  last.endCause = endCause;
  return last;
}

const OF_THE_LIVING = new Set([
  'reservedFor',
  'reservedUntil',
  'reservedSeconds',
  'expiresAt',
  'drainUntil',
  'endReason',
  'endedBy',
] as const);

/** What an event says of a command that was forced. */
export function forcedBy({ force, principal }: Issued & { force?: boolean }) {
  return force ? { forced: true as const, operator: principal } : undefined;
}

export function later(at: Instant, seconds: number): Instant {
  return new Date(Date.parse(at) + seconds * 1000).toISOString();
}

/** Nothing to do about `session`, which may be history: with the current one. */
export function acceptBeside(outcome: Outcome, session: Session, known: Known): Decision {
  return { ...accept(outcome, session), ...about(currentOf(known)) };
}

/** As `acceptBeside`, unless `session` is the latest itself. */
export function acceptFor(
  outcome: Outcome,
  session: Session,
  known: Known,
  ...events: SessionEvent[]
): Accepted {
  const accepted = accept(outcome, session, ...events);
  const isLatest = session.sessionId === known.latest?.sessionId;
  return isLatest ? accepted : { ...accepted, ...about(currentOf(known)) };
}

export function about(current: Session | undefined): { current?: Session } {
  return current ? { current } : {};
}

/** The log loads the sessions that a command names; one without is a mistake of ours. */
export function missing(type: string): never {
  throw new Error(`a ${type} came without its session`);
}
