import type { Issued, SessionCommand, SettleSession, TouchSession } from './commands.js';
import { accept, type Decision, type Outcome, type Refused, refuse } from './decision.js';
import type { Known } from './known.js';
import {
  currentOf,
  type EndCause,
  epochOf,
  type Instant,
  type Owner,
  ownerMatches,
  type Session,
} from './session.js';

/** Commands that carry an epoch. */
type FencedCommand = Exclude<SessionCommand, TouchSession | SettleSession>;

/** The current session if the command names it under its epoch; otherwise what to answer. 5, 13, 14 */
export function fenced(command: FencedCommand, known: Known): Session | Refused {
  const current = currentOf(known);
  if (command.epoch > epochOf(known)) return refuse('future-epoch', about(current));
  if (!current) return refuse('session-ended');
  if (current.sessionId !== command.sessionId) return refuse('stale-session', { current });
  if (command.epoch < current.epoch) return refuse('stale-epoch', { current });
  return current;
}

export function isPrincipal(issued: Issued, session: Session): boolean {
  return issued.operate || issued.principal === session.principal;
}

export function isOwner(issued: Issued, session: Session, asking: Owner | undefined): boolean {
  if (!session.owner || !isPrincipal(issued, session)) return false;
  return asking === undefined || ownerMatches(session.owner, asking);
}

/** The last state of a session, a stop that ended it aside; its epoch and revision are those of the change that ended it. */
export function ended(session: Session, at: Instant, endCause: EndCause): Session {
  const { reservedFor, reservedUntil, expiresAt, drainUntil, endReason, endedBy, ...rest } = session;
  return {
    ...rest,
    status: 'ended',
    epoch: session.epoch + 1,
    revision: session.revision + 1,
    endedAt: at,
    endCause,
  };
}

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

export function about(current: Session | undefined): { current?: Session } {
  return current ? { current } : {};
}
