import type { Ledger, SessionRefusal } from '#api';
import { currentOf, keysOf, type SessionId, sessionOf } from '#session';
import type { Store } from './store.js';
import type { StoredEvent } from './stored-scope.js';

/** What is known of a session or a scope, from its events. */
export function pastOfScopes(store: Store): Ledger['history'] {
  return {
    async session(sessionId, tenant) {
      store.settle();
      const session = store.session(sessionId);
      const scope = store.scopeOf(sessionId);
      const isOurs = scope?.scopeKey.startsWith(keysOf(tenant));
      return session && scope && isOurs ? { session, scopeKey: scope.scopeKey } : undefined;
    },
    async refusals(sessionId, tenant, limit) {
      store.settle();
      const scope = store.scopeOf(sessionId);
      const events = scope?.scopeKey.startsWith(keysOf(tenant)) ? scope.events : [];
      return events
        .flatMap((stored) => refusalOf(stored, sessionId))
        .reverse()
        .slice(0, limit);
    },
    attributes: async (_, digest) => store.details.bodies.get(digest),
    async events(scopeKey, after, limit) {
      store.settle();
      const events = store.scope(scopeKey)?.events.slice(after, after + limit) ?? [];
      return events.map(({ partition, sequence, version, json, count }) => ({
        position: { partition, sequence },
        version,
        json,
        ...(count !== undefined && { count }),
      }));
    },
    async checkpoints(_, scopeKey) {
      const marked = store.scope(scopeKey)?.events ?? [];
      return marked.flatMap(({ event, at: markedAt }) =>
        event.type === 'CheckpointMarked'
          ? [{ label: event.label, sessionId: sessionOf(event)?.sessionId ?? '', markedAt }]
          : [],
      );
    },
    async asOf({ scopeKey, partition }, then) {
      store.settle();
      const now = new Date(store.now()).toISOString();
      const isFuture = 'time' in then ? then.time >= now : then.sequence > store.log(partition).length;
      if (isFuture) return { future: true };
      const before = (store.scope(scopeKey)?.events ?? []).filter(({ at, sequence }) =>
        'time' in then ? at <= then.time : sequence <= then.sequence,
      );
      const found = before.findLast(({ event }) => 'session' in event);
      if (!found || !('session' in found.event)) return { future: false, session: undefined };
      const { event, sequence } = found;
      const until = before.at(-1)?.sequence ?? 0;
      return { future: false, session: event.session, position: { partition, sequence }, until };
    },
    async *snapshot() {
      store.settle();
      const scopes = store.scopes();
      for (const [partition, sequence] of store.heads().entries()) {
        yield { position: { partition, sequence } };
        for (const scope of scopes) {
          const session = scope.partition === partition ? currentOf(scope.state) : undefined;
          if (session) yield store.details.stored(session);
        }
      }
    },
  };
}

function refusalOf(
  { event, count = 1, partition, sequence, at }: StoredEvent,
  of: SessionId,
): SessionRefusal[] {
  if (event.type !== 'StopIgnored' || event.sessionId !== of) return [];
  const { origin, epoch, why } = event;
  return [{ origin, epoch, why, count, position: { partition, sequence }, at }];
}
