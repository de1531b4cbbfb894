import type { Session } from './session.js';

/** Which sessions: all of a user, or all that an environment (or one instance of it) owns. */
export type Selection = { userId: string } | { environment: string; instance?: string };

export function isSelected({ scope, owner }: Session, select: Selection): boolean {
  if ('userId' in select) return scope.userId === select.userId;
  if (owner?.environment !== select.environment) return false;
  return select.instance === undefined || owner.instance === select.instance;
}
