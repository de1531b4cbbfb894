import { bindTo } from './binding.js';
import { accept, type Decision, refuse } from './decision.js';
import type { NewHandle } from './handles.js';
import type { Issued } from './issued.js';
import type { Known } from './known.js';
import { type LeaseTerms, type Owner, ownerMatches, type Session } from './session.js';

/** What a claim says of how it takes a session over, or a start that claims. */
interface Taking {
  force?: boolean;
  lease?: LeaseTerms;
  handles?: readonly NewHandle[];
}

/** Makes `owner` the owner of a released session, or of any when forced. 2, 9 */
export function takeOver(
  current: Session,
  issued: Issued,
  owner: Owner,
  { force, lease, handles = [] }: Taking,
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
