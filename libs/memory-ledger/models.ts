import type { CurrentFilter, Ledger, ListedSession, ProjectedSession, ScopePlace } from '#api';
import {
  currentOf,
  foldSessions,
  foldTransitions,
  foldUsage,
  keysOf,
  type PlacedTold,
  type ScopeKey,
  type Session,
  type SessionRow,
  sumOf,
  timerOf,
  toldBy,
} from '#session';
import type { Store } from './store.js';

/** Read models that are folded from a scope's events when they are asked for: they know all of the log. */
export function models(store: Store): Ledger['models'] {
  /** What a scope's events up to a sequence say. */
  function told(scopeKey: ScopeKey, until = Number.POSITIVE_INFINITY): PlacedTold[] {
    const events = store.scope(scopeKey)?.events.filter(({ sequence }) => sequence <= until) ?? [];
    return events.map(({ event, at, sequence }) => ({ sequence, scopeId: scopeKey, ...toldBy(event, at) }));
  }

  function stored({ sessionId, session, sequence, started = 0 }: SessionRow): ProjectedSession {
    return { sessionId, sequence, started, ...store.details.stored(session) };
  }

  /** What was used in a chain, by its root, or in the scope itself. */
  function used(scopeKey: ScopeKey, of: string, until?: number): string {
    const reports = foldUsage(told(scopeKey, until)).filter(({ ofId }) => ofId === of);
    return JSON.stringify(sumOf(reports.map(({ usage }) => usage)));
  }

  /** A tenant's current sessions, each with the end of its lease. */
  function current(tenant: string): (ListedSession & { session: Session })[] {
    store.settle();
    return store.scopes().flatMap(({ scopeKey, partition, state, due }) => {
      const session = currentOf(state);
      if (!session || !scopeKey.startsWith(keysOf(tenant))) return [];
      const row = foldSessions(told(scopeKey)).get(session.sessionId)!;
      const isLeased = due !== undefined && timerOf(session, session.startedAt)?.renewable;
      return [{ session, ...stored(row), partition, ...(isLeased && { leaseUntil: due }) }];
    });
  }

  const reached = ({ partition }: ScopePlace) => store.log(partition).length;

  return {
    async current(tenant, filter, { order, after, limit }) {
      const placeOf = ({
        session: { startedAt },
        leaseUntil = '',
        sessionId,
      }: ListedSession & { session: Session }) =>
        `${order === 'lease' ? leaseUntil : startedAt} ${sessionId}`;
      const found = current(tenant)
        .filter((one) => matches(one, filter) && (order !== 'lease' || one.leaseUntil !== undefined))
        .map((row) => ({ row, place: placeOf(row) }))
        .sort((one, other) => (one.place < other.place ? -1 : 1));
      if (order === 'newest') found.reverse();
      const last = after && `${after.at} ${after.sessionId}`;
      const isNext = ({ place }: { place: string }) =>
        last === undefined || (order === 'newest' ? place < last : place > last);
      return found
        .filter(isNext)
        .slice(0, limit)
        .map(({ row }) => row);
    },
    async ofVersion(tenant, { versionId, after, limit }) {
      store.settle();
      const ours = store.scopes().filter(({ scopeKey }) => scopeKey.startsWith(keysOf(tenant)));
      const found = ours
        .flatMap(({ scopeKey, partition }) =>
          [...foldSessions(told(scopeKey)).values()].map((row) => ({ ...row, partition })),
        )
        .filter(({ session }) => session.versionId === versionId)
        .filter(({ sessionId }) => after === undefined || sessionId < after)
        .sort((one, other) => (one.sessionId > other.sessionId ? -1 : 1))
        .slice(0, limit);
      const last = found.length === limit ? found.at(-1)?.sessionId : undefined;
      const rows = found.map(({ partition, ...row }) => ({ ...stored(row), partition }));
      return { rows, ...(last && { last }) };
    },
    async counts(tenant) {
      const sessions = current(tenant).map(({ session }) => session);
      const byStatus = countsOf(sessions.map(({ status }) => status));
      const byEnvironment = countsOf(sessions.map(({ owner }) => owner?.environment ?? ''));
      return {
        byStatus: byStatus.map(([status, count]) => ({ status, count })),
        byEnvironment: byEnvironment
          .slice(0, 50)
          .map(([environment, count]) => ({ ...(environment && { environment }), count })),
      };
    },
    async sessions(scope, { before = Number.POSITIVE_INFINITY, limit, versionId }) {
      store.settle();
      const rows = [...foldSessions(told(scope.scopeKey)).values()]
        .filter(({ session }) => versionId === undefined || session.versionId === versionId)
        .map(stored)
        .sort((one, other) => other.started - one.started)
        .filter(({ started }) => started < before);
      return { reached: reached(scope), rows: rows.slice(0, limit) };
    },
    async chain(scope, { from, limit, asOf }) {
      store.settle();
      const { scopeKey } = scope;
      const rows = foldSessions(told(scopeKey, asOf?.until));
      const tip = from ?? store.scope(scopeKey)?.state.latest?.sessionId ?? '';
      const line: SessionRow[] = [];
      for (let row = rows.get(tip); row; row = rows.get(row.session.parentId ?? '')) line.push(row);
      const root = line[0]?.session.rootId;
      const usage = root === undefined ? null : used(scopeKey, root, asOf?.until);
      return { reached: reached(scope), rows: line.slice(0, limit).map(stored), usage };
    },
    async usage(scope, until) {
      store.settle();
      return { reached: reached(scope), usage: used(scope.scopeKey, scope.scopeKey, until) };
    },
    async transitions(scope, { before = Number.POSITIVE_INFINITY, limit }) {
      store.settle();
      const rows = [...foldTransitions(told(scope.scopeKey)).values()]
        .reverse()
        .filter(({ sequence }) => sequence < before)
        .map(({ transition, sequence }) => ({ json: JSON.stringify(transition), sequence }));
      return { reached: reached(scope), rows: rows.slice(0, limit) };
    },
  };
}

function matches(
  { session, leaseUntil }: { session: Session; leaseUntil?: string },
  { environment, instance, status, projectId, before, leaseBefore, resetAdvised }: CurrentFilter,
): boolean {
  const { owner, scope, startedAt, resetAdvised: isAdvised = false } = session;
  return (
    (environment ?? owner?.environment) === owner?.environment &&
    (instance ?? owner?.instance) === owner?.instance &&
    (status ?? session.status) === session.status &&
    (projectId ?? scope.projectId) === scope.projectId &&
    (before === undefined || startedAt < before) &&
    (leaseBefore === undefined || (leaseUntil !== undefined && leaseUntil < leaseBefore)) &&
    (resetAdvised ?? isAdvised) === isAdvised
  );
}

/** How many there are of each, most first. */
function countsOf<Value extends string>(values: readonly Value[]): [Value, number][] {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([one, count], [other, more]) => more - count || (one < other ? -1 : 1));
}
