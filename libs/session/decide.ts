import type {
  ActivateSession,
  ClaimOwnership,
  Command,
  EndSession,
  Issued,
  ReleaseOwnership,
  RotateSession,
  SessionCommand,
  StartSession,
} from './commands.js';
import { accept, type Decision, type Outcome, type Refused, refuse } from './decision.js';
import type { StopIgnoredWhy } from './events.js';
import {
  currentOf,
  type EndCause,
  epochOf,
  type Instant,
  type Owner,
  ownerMatches,
  type ScopeState,
  type Session,
} from './session.js';

/** A scope's state and what else the command at hand has to know. */
export interface Known extends ScopeState {
  /** The session that the command names, when it is not the latest; it has ended. */
  past?: Session;
  /** The session that followed `past`, as it is now. */
  pastSuccessor?: Session;
  /** Why stops of the same session, origin and epoch were ignored, as recorded before. */
  ignored?: readonly StopIgnoredWhy[];
}

/**
 * Decides one command. Pure: the same command in the same state always gives the same answer. A command for
 * a session needs that session in `known`, as the latest or as `past`. The numbers are the rows of the table
 * of corners in docs/commands.md.
 */
export function decide(command: Command, known: Known): Decision {
  switch (command.type) {
    case 'StartSession':
      return start(command, known);
    case 'ActivateSession':
      return activate(command, known);
    case 'RotateSession':
      return rotate(command, known);
    case 'ReleaseOwnership':
      return release(command, known);
    case 'ClaimOwnership':
      return claim(command, known);
    case 'EndSession':
      return end(command, known);
    default:
      return command satisfies never;
  }
}

function start(command: StartSession, known: Known): Decision {
  const current = currentOf(known);
  const epoch = epochOf(known);
  const expected = command.expectedEpoch ?? epoch;
  if (expected > epoch) return refuse('future-epoch', about(current)); // 14
  if (expected < epoch) return refuse('stale-epoch', about(current)); // 1
  if (!current || command.onConflict === 'supersede') return begin(command, known); // 1
  if (command.onConflict === 'reject') return refuse('session-active', { current }); // 3
  if (current.status === 'ending') return refuse('session-ending', { current }); // 2
  if (current.status === 'released') return take(current, command, command.owner); // 2
  return accept('joined', current); // 2
}

function begin(command: StartSession, known: Known): Decision {
  const epoch = epochOf(known) + 1;
  const old = currentOf(known);
  const superseded = old && {
    ...ended(old, command.at, 'superseded'),
    successorId: command.sessionId,
  };
  const session: Session = {
    sessionId: command.sessionId,
    scope: { userId: command.scope.userId, projectId: command.scope.projectId },
    status: command.phase ?? 'active',
    epoch,
    revision: (superseded ?? known.latest)?.revision ?? 0,
    owner: command.owner,
    principal: command.principal,
    rootId: command.sessionId,
    chainLength: 1,
    startedAt: command.at,
  };
  session.revision += 1;
  if (command.attributesDigest !== undefined) session.attributesDigest = command.attributesDigest;
  const started = { type: 'SessionStarted', session } as const;
  if (!superseded) return accept('started', session, started);
  return accept(
    'started',
    session,
    { type: 'SessionSuperseded', session: superseded, by: command.owner },
    started,
  );
}

function activate(command: ActivateSession, known: Known): Decision {
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });
  if (current.status === 'active') return accept('unchanged', current);
  if (current.status === 'ending') return refuse('session-ending', { current });
  const session: Session = { ...current, status: 'active', revision: current.revision + 1 };
  return accept('activated', session, { type: 'SessionActivated', session });
}

function rotate(command: RotateSession, known: Known): Decision {
  const { past, pastSuccessor } = known;
  const repeated = past?.sessionId === command.sessionId && past.endCause === 'rotated';
  if (repeated && pastSuccessor && command.epoch <= epochOf(known)) {
    const sameHandle =
      command.successorHandle !== undefined && command.successorHandle === past.successorHandle;
    if (sameHandle) return acceptBeside('already-rotated', pastSuccessor, known); // 11
  }
  const current = fenced(command, known); // 11: stale-session with the winner
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current }); // 11
  if (current.status !== 'active') return refuse('session-not-active', { current }); // 11
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });

  const previous: Session = {
    ...ended(current, command.at, 'rotated'),
    successorId: command.successorId,
  };
  if (command.successorHandle !== undefined) previous.successorHandle = command.successorHandle;
  const { versionId: _, ...inherited } = current;
  const session: Session = {
    ...inherited,
    sessionId: command.successorId,
    epoch: current.epoch + 1,
    revision: current.revision + 1,
    parentId: current.sessionId,
    chainLength: current.chainLength + 1,
    reason: command.reason,
    startedAt: command.at,
  };
  if (command.versionId !== undefined) session.versionId = command.versionId;
  return accept('rotated', session, { type: 'SessionRotated', session, previous });
}

function release(command: ReleaseOwnership, known: Known): Decision {
  const released = known.latest;
  if (released?.status === 'released' && wasReleasedBy(command, released)) {
    return accept('unchanged', released); // 10
  }
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current }); // 10
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });

  const { owner, ...rest } = current;
  const session: Session = {
    ...rest,
    status: 'released',
    epoch: current.epoch + 1,
    revision: current.revision + 1,
  };
  if (owner) session.previousOwner = owner;
  if (command.to && command.reservedSeconds) {
    session.reservedFor = command.to;
    session.reservedUntil = later(command.at, command.reservedSeconds);
  }
  return accept('released', session, { type: 'OwnershipReleased', session });
}

/** The release of the caller itself, asked for again: under the epoch before it, or the one it made. */
function wasReleasedBy(command: ReleaseOwnership, released: Session): boolean {
  return (
    released.sessionId === command.sessionId &&
    (command.epoch === released.epoch - 1 || command.epoch === released.epoch) &&
    isPrincipal(command, released) &&
    (command.owner === undefined || ownerMatches(released.previousOwner, command.owner))
  );
}

function claim(command: ClaimOwnership, known: Known): Decision {
  if (command.force && !command.operate) return refuse('operate-required');
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current });
  if (current.status === 'released') return take(current, command, command.owner, command.force);
  if (isOwner(command, current, command.owner)) return accept('unchanged', current); // 9
  if (!command.force) return refuse('not-owner', { current }); // 9
  return take(current, command, command.owner, true);
}

/** Makes `owner` the owner of a released session, or of any when forced. 2, 9 */
function take(current: Session, issued: Issued, owner: Owner, forced = false): Decision {
  const { reservedFor, reservedUntil, previousOwner: _, ...rest } = current;
  const reserved = reservedFor && reservedUntil && issued.at < reservedUntil;
  if (reserved && !ownerMatches(reservedFor, owner) && !forced) {
    return refuse('reserved', { current, until: reservedUntil });
  }
  const session: Session = {
    ...rest,
    status: current.status === 'released' ? 'active' : current.status,
    epoch: current.epoch + 1,
    revision: current.revision + 1,
    owner,
    principal: issued.principal,
  };
  return accept('claimed', session, {
    type: 'OwnershipClaimed',
    session,
    ...(forced && { forced }),
  });
}

function end(command: EndSession, known: Known): Decision {
  if (command.force && !command.operate) return refuse('operate-required');
  if (command.epoch > epochOf(known)) return refuse('future-epoch', about(currentOf(known))); // 14
  // Never another session than the one named, whatever else is known.
  const named = [known.past, known.latest].find((one) => one?.sessionId === command.sessionId);
  if (!named || named.status === 'ended') return endAgain(command, known, named);
  if (command.epoch < named.epoch) return ignoreStop('stale-epoch', 'stale-epoch', command, known); // 5
  if (!command.force && !mayEnd(command, named)) return ignoreStop('not-owner', 'not-owner', command, known); // 5, 6

  const session: Session = {
    ...ended(named, command.at, 'ended'),
    endReason: command.reason,
    endedBy: command.origin,
  };
  return accept('ended', session, {
    type: 'SessionEnded',
    session,
    origin: command.origin,
    ...(command.force && { forced: true }),
  }); // 4
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

/** The current session if the command names it under its epoch; otherwise what to answer. 5, 13, 14 */
function fenced(command: SessionCommand, known: Known): Session | Refused {
  const current = currentOf(known);
  if (command.epoch > epochOf(known)) return refuse('future-epoch', about(current));
  if (!current) return refuse('session-ended');
  if (current.sessionId !== command.sessionId) return refuse('stale-session', { current });
  if (command.epoch < current.epoch) return refuse('stale-epoch', { current });
  return current;
}

function isPrincipal(issued: Issued, session: Session): boolean {
  return issued.operate || issued.principal === session.principal;
}

function isOwner(issued: Issued, session: Session, asking: Owner | undefined): boolean {
  if (!session.owner || !isPrincipal(issued, session)) return false;
  return asking === undefined || ownerMatches(session.owner, asking);
}

/** The last state of a session; its epoch and revision are those of the change that ended it. */
function ended(session: Session, at: Instant, endCause: EndCause): Session {
  const { reservedFor, reservedUntil, ...rest } = session;
  return {
    ...rest,
    status: 'ended',
    epoch: session.epoch + 1,
    revision: session.revision + 1,
    endedAt: at,
    endCause,
  };
}

function later(at: Instant, seconds: number): Instant {
  return new Date(Date.parse(at) + seconds * 1000).toISOString();
}

/** Nothing to do about `session`, which may be history: with the current one. */
function acceptBeside(outcome: Outcome, session: Session, known: Known): Decision {
  return { ...accept(outcome, session), ...about(currentOf(known)) };
}

function about(current: Session | undefined): { current?: Session } {
  return current ? { current } : {};
}
