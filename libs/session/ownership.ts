import type {
  ActivateSession,
  ChangeAttributes,
  ClaimOwnership,
  Issued,
  ReleaseOwnership,
  RenewLease,
  StartSession,
  TouchSession,
} from './commands.js';
import { accept, type Decision, refuse } from './decision.js';
import { bindTo } from './handles.js';
import type { Known } from './known.js';
import { fenced, forcedBy, isOwner, isPrincipal, later } from './rules.js';
import { currentOf, isLapsed, type Owner, ownerMatches, type Session } from './session.js';

export function activate(command: ActivateSession, known: Known): Decision {
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });
  if (current.status === 'active') return accept('unchanged', current);
  if (current.status === 'ending') return refuse('session-ending', { current });
  const session: Session = { ...current, status: 'active', revision: current.revision + 1 };
  return accept('activated', session, { type: 'SessionActivated', session });
}

export function release(command: ReleaseOwnership, known: Known): Decision {
  if (command.force && !command.operate) return refuse('operate-required');
  const released = known.latest;
  if (released?.status === 'released' && wasReleasedBy(command, released)) {
    return accept('unchanged', released); // 10
  }
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current }); // 10
  if (command.force && current.status === 'released') return accept('unchanged', current); // 10
  if (!command.force && !isOwner(command, current, command.owner)) return refuse('not-owner', { current });

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
    session.reservedSeconds = command.reservedSeconds;
  }
  const seconds = current.policy?.endReleasedAfterSeconds;
  if (seconds !== undefined) session.expiresAt = later(session.reservedUntil ?? command.at, seconds);
  return accept('released', session, { type: 'OwnershipReleased', session, ...forcedBy(command) });
}

/** The release of the caller itself, asked for again: under the epoch before it, or the one it made. A lapse was none. */
function wasReleasedBy(command: ReleaseOwnership, released: Session): boolean {
  return (
    released.sessionId === command.sessionId &&
    !isLapsed(released) &&
    (command.epoch === released.epoch - 1 || command.epoch === released.epoch) &&
    isPrincipal(command, released) &&
    (command.force || command.owner === undefined || ownerMatches(released.previousOwner, command.owner))
  );
}

export function claim(command: ClaimOwnership, known: Known): Decision {
  if (command.force && !command.operate) return refuse('operate-required');
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current });
  if (current.status === 'released') return take(current, command, command.owner, command, known);
  if (isOwner(command, current, command.owner)) return accept('unchanged', current); // 9
  if (!command.force) return refuse('not-owner', { current }); // 9
  return take(current, command, command.owner, command, known);
}

/** Makes `owner` the owner of a released session, or of any when forced. 2, 9 */
export function take(
  current: Session,
  issued: Issued,
  owner: Owner,
  { force, lease, handles = [] }: Pick<ClaimOwnership, 'force' | 'lease'> & Pick<StartSession, 'handles'>,
  known: Known,
): Decision {
  const {
    reservedFor,
    reservedUntil: ends,
    reservedSeconds: _,
    previousOwner: __,
    expiresAt: ___,
    ...rest
  } = current;
  const reservedUntil = known.reservedUntil ?? ends;
  const reserved = reservedFor && reservedUntil && issued.at < reservedUntil;
  if (reserved && !ownerMatches(reservedFor, owner) && !force) {
    return refuse('reserved', { current, until: reservedUntil });
  }
  const claimed: Session = {
    ...rest,
    status: current.status === 'released' ? 'active' : current.status,
    epoch: current.epoch + 1,
    revision: current.revision + 1,
    owner,
    principal: issued.principal,
  };
  if (lease) claimed.lease = lease;
  const bound = bindTo(claimed, handles, known);
  if ('refusal' in bound) return bound;
  const { session, changes } = bound;
  const event = { type: 'OwnershipClaimed', session, ...(force && { forced: true as const }) } as const;
  return { ...accept('claimed', session, event), handles: changes };
}

export function renew(command: RenewLease, known: Known): Decision {
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current });
  if (!isOwner(command, current, undefined)) return refuse('not-owner', { current });
  if (!current.lease) return refuse('no-lease', { current });
  return { ...accept('renewed', current), renews: true };
}

export function touch(command: TouchSession, known: Known): Decision {
  const current = currentOf(known);
  if (!current) return refuse('session-ended');
  if (current.sessionId !== command.sessionId) return refuse('stale-session', { current });
  const renewable = current.status === 'active' || current.status === 'starting';
  if (!renewable || current.lease?.renewOn !== 'use') return accept('unchanged', current);
  return { ...accept('renewed', current), renews: true };
}

export function changeAttributes(command: ChangeAttributes, known: Known): Decision {
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });
  if (current.attributesDigest === command.attributesDigest) return accept('unchanged', current);
  const { attributesDigest: _, ...rest } = current;
  const session: Session = { ...rest, revision: current.revision + 1 };
  if (command.attributesDigest !== undefined) session.attributesDigest = command.attributesDigest;
  return accept('changed', session, { type: 'AttributesChanged', session });
}
