import { accept, type Decision, refuse } from '../decision.js';
import type { ByOwner } from '../issued.js';
import type { Known } from '../known.js';
import { owned } from '../rules.js';
import type { Session } from '../session.js';

export interface ActivateSession extends ByOwner {
  type: 'ActivateSession';
}

export function activate(command: ActivateSession, known: Known): Decision {
  const current = owned(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'active') return accept('unchanged', current);
  if (current.status === 'ending') return refuse('session-ending', { current });
  const session: Session = { ...current, status: 'active', revision: current.revision + 1 };
  return accept('activated', session, { type: 'SessionActivated', session });
}
