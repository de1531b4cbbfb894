import { accept, type Decision } from '../decision.js';
import type { ByOwner } from '../issued.js';
import type { Known } from '../known.js';
import { owned } from '../rules.js';
import type { Session } from '../session.js';

export interface ChangeAttributes extends ByOwner {
  type: 'ChangeAttributes';
  /** Of the attributes after the change; undefined when none are left. */
  attributesDigest: string | undefined;
}

export function changeAttributes(command: ChangeAttributes, known: Known): Decision {
  const current = owned(command, known);
  if ('refusal' in current) return current;
  if (current.attributesDigest === command.attributesDigest) return accept('unchanged', current);
  const { attributesDigest: _, ...rest } = current;
  const session: Session = { ...rest, revision: current.revision + 1 };
  if (command.attributesDigest !== undefined) session.attributesDigest = command.attributesDigest;
  return accept('changed', session, { type: 'AttributesChanged', session });
}
