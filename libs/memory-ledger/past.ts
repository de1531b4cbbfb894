import { asOfQuery, ProblemError } from '#protocol';
import { type Position, partitionOf, type ScopeKey, type Session } from '#session';
import type { Store } from './store.js';

/** A scope's latest session as it was then, and the event that made it so; undefined when it had none yet. */
export function sessionAsOf(
  store: Store,
  scopeKey: ScopeKey,
  asOf: string,
): { session: Session; position: Position } | undefined {
  const partition = partitionOf(scopeKey, store.partitions);
  const then = asOfQuery(asOf, partition);
  const now = new Date(store.now()).toISOString();
  const isFuture = 'time' in then ? then.time >= now : then.sequence > store.log(partition).length;
  if (isFuture) {
    throw new ProblemError(
      'invalid-request',
      'query.asOf is in the future: nobody knows what will be current',
    );
  }
  const found = store.scope(scopeKey)?.events.findLast(({ event, at, sequence }) => {
    const isBefore = 'time' in then ? at <= then.time : sequence <= then.sequence;
    return isBefore && 'session' in event;
  });
  if (!found || !('session' in found.event) || !found.event.session) return undefined;
  return { session: found.event.session, position: { partition, sequence: found.sequence } };
}
