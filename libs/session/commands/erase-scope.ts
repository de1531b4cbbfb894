import { accept, type Decision, refuse } from '../decision.js';
import type { Issued } from '../issued.js';
import type { Known } from '../known.js';
import { missing } from '../rules.js';
import type { Scope } from '../scope.js';
import { currentOf, type Session } from '../session.js';

/** Forgets the details of all of a scope's sessions, current and past. The scope has to have had one. */
export interface EraseScope extends Issued {
  type: 'EraseScope';
  scope: Scope;
}

/**
 * Has the details of a scope forgotten, and its handles freed. The log keeps the digests of attributes, so the session
 * in state does, too; the revision rises, because what readers see of a current session may change. 15
 */
export function erase(command: EraseScope, known: Known): Decision {
  if (!command.operate) return refuse('operate-required');
  const latest = known.latest ?? missing(command.type);
  if (!known.detailed) return accept('unchanged', latest);
  const operator = command.principal;
  const current = currentOf(known);
  if (!current) return accept('erased', latest, { type: 'DetailsErased', operator });
  const { handles: _, ...rest } = current;
  const session: Session = { ...rest, revision: current.revision + 1 };
  return accept('erased', session, { type: 'DetailsErased', session, operator });
}
