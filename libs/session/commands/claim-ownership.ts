import { bindTo } from '../binding.js';
import { accept, type Decision, refuse } from '../decision.js';
import type { ForSession, Issued } from '../issued.js';
import type { Known } from '../known.js';
import { fenced, isOwner } from '../rules.js';
import { type LeaseTerms, type Owner, ownerMatches, type Session } from '../session.js';
import type { StartSession } from './start-session.js';

export interface ClaimOwnership extends ForSession {
  type: 'ClaimOwnership';
  owner: Owner;
  /** In place of the session's own terms. */
  lease?: LeaseTerms;
  force?: boolean;
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
