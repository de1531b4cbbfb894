import type { EraseScope } from './commands.js';
import { accept, type Decision, refuse } from './decision.js';
import type { Known } from './known.js';
import { currentOf, type Session } from './session.js';

/**
 * Has the details of a scope forgotten, and its handles freed. The log keeps the digests of attributes, so the session
 * in state does, too; the revision rises, because what readers see of a current session may change. 15
 */
export function erase(command: EraseScope, known: Known, latest: Session): Decision {
  if (!command.operate) return refuse('operate-required');
  if (!known.detailed) return accept('unchanged', latest);
  const operator = command.principal;
  const current = currentOf(known);
  if (!current) return accept('erased', latest, { type: 'DetailsErased', operator });
  const { handles: _, ...rest } = current;
  const session: Session = { ...rest, revision: current.revision + 1 };
  return accept('erased', session, { type: 'DetailsErased', session, operator });
}
