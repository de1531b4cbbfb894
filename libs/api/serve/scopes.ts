import { type Handle, partitionOf, partitionOfSession, type Scope, scopeKey } from '#session';
import type { Caller } from '../caller.js';
import type { Naming, ScopePlace } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import type { OutsideName } from '../request/outside-names.js';

/** The scope of a request, its key and its partition. */
export function scopeOf(
  { tenant }: Caller,
  { userId, projectId = 'default' }: { userId: string; projectId?: string },
  { partitions }: Naming,
): ScopePlace & { scope: Scope } {
  const scope: Scope = { tenant, userId, projectId };
  const key = scopeKey(scope);
  return { scope, scopeKey: key, partition: partitionOf(key, partitions) };
}

/** Where a session lives. Throws `unknown-session` for an id that no partition of this ledger can have made. */
export function placeOf(sessionId: string, { partitions }: Naming): number {
  const partition = partitionOfSession(sessionId);
  if (partition >= partitions) throw new ProblemError('unknown-session');
  return partition;
}

/** An outside name as the log knows it: by the keyed hash of tenant, kind and value. */
export function handleOf({ tenant }: Caller, { kind, value }: OutsideName, { hashOf }: Naming): Handle {
  return { kind, hash: hashOf(JSON.stringify([tenant, kind, value])) };
}
