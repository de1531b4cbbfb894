import { accept, type Decision, refuse } from '../decision.js';
import type { ByOwner } from '../issued.js';
import type { Known } from '../known.js';
import { fenced, forcedBy, isOwner, isPrincipal, later } from '../rules.js';
import { isLapsed, type Owner, ownerMatches, type Session } from '../session.js';

export interface ReleaseOwnership extends ByOwner {
  type: 'ReleaseOwnership';
  to?: Owner;
  /** How long only `to` may claim. Whole seconds. */
  reservedSeconds?: number;
  /** Whoever owns it. Needs `operate`. */
  force?: boolean;
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
