import { asOfQuery, ProblemError } from '#protocol';
import { type Position, partitionOf, type ScopeKey, type Session } from '#session';
import type { Store } from './store.js';

/**
 * A scope's latest session as it was then, the event that made it so, and the sequence of the scope's last event of any
 * kind (`until`); undefined when it had none yet.
 */
export function sessionAsOf(
  store: Store,
  scopeKey: ScopeKey,
  asOf: string,
): { session: Session; position: Position; until: number } | undefined {
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
  const { events = [] } = store.scope(scopeKey) ?? {};
  const before = events.filter(({ at, sequence }) =>
    'time' in then ? at <= then.time : sequence <= then.sequence,
  );
  const found = before.findLast(({ event }) => 'session' in event);
  if (!found || !('session' in found.event) || !found.event.session) return undefined;
  const until = before.at(-1)?.sequence ?? 0;
  return { session: found.event.session, position: { partition, sequence: found.sequence }, until };
}
