import type { Ledger, OutOfSync, ReportPlace, SyncFigures } from '#api';
import { currentOf, type Instant, type ScopeKey, type SessionId } from '#session';
import type { Store } from './store.js';

interface Kept extends ReportPlace {
  tenant: string;
  scopeKey: ScopeKey;
  sessionId: SessionId;
  heldSince: Instant;
  reportedAt: Instant;
}

/** Most reports that are kept: one for each consumer and scope. The oldest are forgotten. */
const MOST_REPORTS = 50_000;
/** A report counts for a day after it was made or renewed last. */
const REPORT_MS = 86_400_000;

/** What consumers say that they hold. */
export function reports(store: Store): Ledger['reports'] {
  /** Those that were reported last stand last. */
  const all = new Map<string, Kept>();
  let numbers = 0;

  /** Those of a tenant, or of one of its consumers; the ones that count no more are forgotten. */
  function kept(tenant: string, consumer?: string): Kept[] {
    const oldest = new Date(store.now() - REPORT_MS).toISOString();
    for (const [place, { reportedAt }] of all) if (reportedAt <= oldest) all.delete(place);
    return [...all.values()].filter(
      (one) => one.tenant === tenant && (consumer === undefined || one.consumer === consumer),
    );
  }

  function stateOf({ scopeKey, sessionId }: Kept): 'inSync' | 'outOfSync' | 'unknown' {
    const scope = store.scopeOf(sessionId);
    if (scope?.scopeKey !== scopeKey) return 'unknown';
    return currentOf(scope.state)?.sessionId === sessionId ? 'inSync' : 'outOfSync';
  }

  function shown(report: Kept): OutOfSync {
    const { consumer, scopeKey, sessionId, heldSince, reportedAt } = report;
    const scope = store.scope(scopeKey);
    const isKnown = stateOf(report) !== 'unknown';
    const endedAt = (isKnown && store.session(sessionId)?.endedAt) || heldSince;
    const currentId = scope && currentOf(scope.state)?.sessionId;
    return {
      consumer,
      scopeKey,
      state: isKnown ? 'out-of-sync' : 'unknown',
      sessionId,
      ...(currentId && { currentId }),
      since: latest(heldSince, endedAt),
      reportedAt,
    };
  }

  return {
    async take(tenant, given) {
      kept(tenant);
      const reportedAt = new Date(store.now()).toISOString();
      const taken = new Map(given.map((one) => [`${one.consumer} ${one.scopeKey}`, one]));
      for (const [place, { consumer, partition, scopeKey, sessionId }] of taken) {
        const before = all.get(place);
        const heldSince = before?.sessionId === sessionId ? before.heldSince : reportedAt;
        const scopeId = before?.scopeId ?? uuidOf(++numbers);
        all.delete(place);
        all.set(place, { tenant, consumer, partition, scopeId, scopeKey, sessionId, heldSince, reportedAt });
      }
      const oldest = [...all.keys()].slice(0, Math.max(0, all.size - MOST_REPORTS));
      for (const place of oldest) all.delete(place);
      return { taken: taken.size, dropped: oldest.length };
    },
    async withdraw(tenant, consumer, scope) {
      const gone = kept(tenant, consumer).filter((one) => !scope || one.scopeKey === scope.scopeKey);
      for (const one of gone) all.delete(`${one.consumer} ${one.scopeKey}`);
      return gone.length;
    },
    async figures(tenant, consumer) {
      store.settle();
      const counts = new Map<string, SyncFigures>();
      for (const report of kept(tenant, consumer)) {
        const { consumer: name } = report;
        const count = counts.get(name) ?? { consumer: name, inSync: 0, outOfSync: 0, unknown: 0 };
        count[stateOf(report)] += 1;
        counts.set(name, count);
      }
      const sum = ({ inSync, outOfSync, unknown }: SyncFigures) => inSync + outOfSync + unknown;
      return [...counts.values()].sort(
        (one, other) => sum(other) - sum(one) || (one.consumer < other.consumer ? -1 : 1),
      );
    },
    async outOfSync(tenant, { consumer, after, limit }) {
      store.settle();
      const wrong = kept(tenant, consumer)
        .filter((report) => stateOf(report) !== 'inSync')
        .sort((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1))
        .filter((report) => after === undefined || orderOf(report) > orderOf(after));
      const page = wrong.slice(0, limit);
      const last = page.length === limit ? page.at(-1) : undefined;
      return { list: page.map(shown), ...(last && { next: last }) };
    },
  };
}

/** By consumer, and then by when it first spoke of the scope. */
function orderOf({ consumer, scopeId }: ReportPlace): string {
  return `${consumer} ${scopeId}`;
}

/** A UUID of a number. */
function uuidOf(number: number): string {
  return `00000000-0000-0000-0000-${number.toString(16).padStart(12, '0')}`;
}

function latest(...instants: Instant[]): Instant {
  return instants.sort().at(-1) ?? '';
}
