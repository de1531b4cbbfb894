import type { Ledger, ProjectedSession, ScopePlace } from '#api';
import {
  foldSessions,
  foldTransitions,
  foldUsage,
  type PlacedTold,
  type ScopeKey,
  type SessionRow,
  sumOf,
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

  const reached = ({ partition }: ScopePlace) => store.log(partition).length;

  return {
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
