import { accept, type Decision, refuse } from '../decision.js';
import type { ForSession } from '../issued.js';
import type { Known } from '../known.js';
import { fenced, isOwner } from '../rules.js';
import type { LeaseTerms, Owner } from '../session.js';
import { takeOver } from '../take-over.js';

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
  if (current.status === 'released') return takeOver(current, command, command.owner, command, known);
  if (isOwner(command, current, command.owner)) return accept('unchanged', current); // 9
  if (!command.force) return refuse('not-owner', { current }); // 9
  return takeOver(current, command, command.owner, command, known);
}
