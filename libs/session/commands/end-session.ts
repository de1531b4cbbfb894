import { accept, type Decision, type Refused, refuse } from '../decision.js';
import type { StopIgnoredWhy } from '../events.js';
import type { ForSession } from '../issued.js';
import type { Known } from '../known.js';
import { about, acceptBeside, ended, forcedBy, isOwner, later, namedBy } from '../rules.js';
import { currentOf, epochOf, type Owner, ownerMatches, type Session } from '../session.js';

export interface EndSession extends ForSession {
  type: 'EndSession';
  /** Who asks for the stop. */
  origin: Owner;
  reason: string;
  /** Ends only when the owner confirms it by the same command without this, or after so many seconds. */
  drainSeconds?: number;
  force?: boolean;
}

export function end(command: EndSession, known: Known): Decision {
  if (command.force && !command.operate) return refuse('operate-required');
  if (command.epoch > epochOf(known)) return refuse('future-epoch', about(currentOf(known))); // 14
  const named = namedBy(command, known);
  if (!named || named.status === 'ended') return endAgain(command, known, named);
  if (command.epoch < named.epoch) return ignoreStop('stale-epoch', 'stale-epoch', command, known); // 5
  if (!command.force && !mayEnd(command, named)) return ignoreStop('not-owner', 'not-owner', command, known); // 5, 6

  const why = { endReason: command.reason, endedBy: command.origin };
  const how = { origin: command.origin, ...forcedBy(command) };
  if (command.drainSeconds && named.status !== 'released') {
    if (named.status === 'ending') return accept('unchanged', named);
    const drainUntil = later(command.at, command.drainSeconds);
    const session: Session = { ...named, ...why, status: 'ending', revision: named.revision + 1, drainUntil };
    return accept('ending', session, { type: 'SessionEnding', session, ...how });
  }
  const session: Session = { ...ended(named, command.at, 'ended'), ...why };
  return accept('ended', session, { type: 'SessionEnded', session, ...how }); // 4
}

/** The owner may end its session; a released one has none, so only who it is reserved for. 4, 6 */
function mayEnd(command: EndSession, session: Session): boolean {
  if (session.status === 'released') return ownerMatches(session.reservedFor, command.origin);
  return isOwner(command, session, command.origin);
}

function endAgain(command: EndSession, known: Known, named: Session | undefined): Decision {
  const current = currentOf(known);
  const sameStop =
    named?.endCause === 'ended' &&
    command.epoch === named.epoch - 1 &&
    named.endedBy?.environment === command.origin.environment &&
    named.endedBy.instance === command.origin.instance;
  if (sameStop) return acceptBeside('already-ended', named, known); // 4
  const why = named?.endCause ?? 'ended';
  return ignoreStop(current ? 'stale-session' : 'session-ended', why, command, known); // 5, 13
}

/** Refuses a stop and records it, once per session, origin, epoch and why. */
function ignoreStop(
  code: 'stale-session' | 'stale-epoch' | 'not-owner' | 'session-ended',
  why: StopIgnoredWhy,
  command: EndSession,
  known: Known,
): Refused {
  const refused: Refused = { ...refuse(code, about(currentOf(known))), ignored: why };
  if (known.ignored?.includes(why)) return refused;
  const { sessionId, origin, epoch } = command;
  return { ...refused, events: [{ type: 'StopIgnored', sessionId, origin, epoch, why }] };
}
