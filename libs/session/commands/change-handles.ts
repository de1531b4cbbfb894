import { bindEach, unbind } from '../binding.js';
import { accept, type Decision } from '../decision.js';
import type { Handle, NewHandle } from '../handles.js';
import type { ByOwner } from '../issued.js';
import type { Known } from '../known.js';
import { owned } from '../rules.js';

export interface ChangeHandles extends ByOwner {
  type: 'ChangeHandles';
  bind: readonly NewHandle[];
  unbind: readonly Handle[];
}

/** Binds and unbinds handles of the current session and of its scope; first what goes, then what comes. */
export function changeHandles(command: ChangeHandles, known: Known): Decision {
  const current = owned(command, known);
  if ('refusal' in current) return current;
  const left = unbind(current, command.unbind, known);
  const bound = bindEach(left.session, command.bind, known);
  if ('refusal' in bound) return bound;
  const changes = [...left.changes, ...bound.changes];
  const events = [...left.events, ...bound.events];
  const outcome = changes.length === 0 ? 'unchanged' : 'changed';
  return { ...accept(outcome, bound.session, ...events), handles: changes };
}
