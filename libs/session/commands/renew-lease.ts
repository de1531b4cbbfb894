import { accept, type Decision, refuse } from '../decision.js';
import type { ForSession } from '../issued.js';
import type { Known } from '../known.js';
import { fenced, isOwner } from '../rules.js';

/** Writes no event: the lease's end is a row of its own. */
export interface RenewLease extends ForSession {
  type: 'RenewLease';
}

export function renew(command: RenewLease, known: Known): Decision {
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current });
  if (!isOwner(command, current, undefined)) return refuse('not-owner', { current });
  if (!current.lease) return refuse('no-lease', { current });
  return { ...accept('renewed', current), renews: true };
}
