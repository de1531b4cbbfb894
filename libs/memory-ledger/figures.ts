import { decodeCursor, encodeCursor, syncFigures, withdrawn } from '#protocol';
import { currentOf, type Instant, parseScopeKey, type ScopeKey, type SessionId } from '#session';
import { type Serving, scopeKeyOf } from './serving.js';
import type { Store } from './store.js';

interface Report {
  /** By which those of a consumer are in order. */
  number: number;
  consumer: string;
  scopeKey: ScopeKey;
  sessionId: SessionId;
  heldSince: Instant;
  reportedAt: Instant;
}

type State = 'inSync' | 'outOfSync' | 'unknown';

/** Most reports that are kept: one for each consumer and scope. The oldest are forgotten. */
const MOST_REPORTS = 50_000;
/** A report counts for a day after it was made or renewed last. */
const REPORT_MS = 86_400_000;
const PLACE = /^r(\d+ [A-Za-z0-9_.:-]{1,64})$/;

/** Serves what consumers hold, and figures. */
export function figures(store: Store): Pick<Serving, 'report' | 'withdrawReports' | 'stats'> {
  /** Those that were reported last stand last. */
  const reports = new Map<string, Report>();
  let numbers = 0;

  /** Forgets those that count no more. */
  function forgetOld(): void {
    const oldest = new Date(store.now() - REPORT_MS).toISOString();
    for (const [place, { reportedAt }] of reports) if (reportedAt <= oldest) reports.delete(place);
  }

  function stateOf({ scopeKey, sessionId }: Report): State {
    const scope = store.scopeOf(sessionId);
    if (scope?.scopeKey !== scopeKey) return 'unknown';
    return currentOf(scope.state)?.sessionId === sessionId ? 'inSync' : 'outOfSync';
  }

  function shown(report: Report): object {
    const { consumer, scopeKey, sessionId, heldSince, reportedAt } = report;
    const { userId, projectId } = parseScopeKey(scopeKey);
    const scope = store.scope(scopeKey);
    const isKnown = stateOf(report) !== 'unknown';
    const endedAt = (isKnown && store.session(sessionId)?.endedAt) || heldSince;
    const currentId = scope && currentOf(scope.state)?.sessionId;
    return {
      consumer,
      userId,
      projectId,
      state: isKnown ? 'out-of-sync' : 'unknown',
      sessionId,
      ...(currentId && { currentId }),
      since: [heldSince, endedAt].sort().at(-1),
      reportedAt,
    };
  }

  return {
    report({ body }) {
      forgetOld();
      const reportedAt = new Date(store.now()).toISOString();
      const taken = new Map(body.map((one) => [`${one.consumer} ${scopeKeyOf(one)}`, one]));
      for (const [place, { consumer, sessionId, ...scope }] of taken) {
        const before = reports.get(place);
        const heldSince = before?.sessionId === sessionId ? before.heldSince : reportedAt;
        reports.delete(place);
        const number = before?.number ?? ++numbers;
        const scopeKey = scopeKeyOf(scope);
        reports.set(place, { number, consumer, scopeKey, sessionId, heldSince, reportedAt });
      }
      const oldest = [...reports.keys()].slice(0, Math.max(0, reports.size - MOST_REPORTS));
      for (const place of oldest) reports.delete(place);
      return { body: { taken: taken.size, dropped: oldest.length } };
    },
    withdrawReports({ query }) {
      forgetOld();
      const { consumer, userId, projectId } = withdrawn(query);
      const scopeKey =
        userId === undefined
          ? undefined
          : scopeKeyOf({ userId, ...(projectId !== undefined && { projectId }) });
      const gone = [...reports].filter(
        ([, one]) => one.consumer === consumer && (scopeKey === undefined || one.scopeKey === scopeKey),
      );
      for (const [place] of gone) reports.delete(place);
      return { body: { withdrawn: gone.length } };
    },
    stats({ query: { consumer, limit = 100, after } }) {
      forgetOld();
      const asked = [...reports.values()].filter(
        (one) => consumer === undefined || one.consumer === consumer,
      );
      const counts = new Map<string, { consumer: string } & Record<State, number>>();
      for (const report of asked) {
        const { consumer: name } = report;
        const count = counts.get(name) ?? { consumer: name, inSync: 0, outOfSync: 0, unknown: 0 };
        count[stateOf(report)] += 1;
        counts.set(name, count);
      }
      const all = (one: Record<State, number>) => one.inSync + one.outOfSync + one.unknown;
      const consumers = [...counts.values()].sort(
        (one, other) => all(other) - all(one) || (one.consumer < other.consumer ? -1 : 1),
      );
      const wrong = asked.filter((report) => stateOf(report) !== 'inSync').sort(inOrder);
      const [number = 0, of = ''] = after === undefined ? [] : decodeCursor(after, PLACE).split(' ');
      const last = { number: Number(number), consumer: of };
      const page = wrong.filter((report) => inOrder(report, last) > 0).slice(0, limit);
      const next = page.length === limit ? page.at(-1) : undefined;
      const heads = store.heads();
      const events = heads.reduce((sum, head) => sum + head, 0);
      return {
        body: {
          ledger: { source: store.source, partitions: heads.length, events, heads, restores: 0 },
          projection: { positions: heads, behind: 0 },
          sync: {
            ...syncFigures(consumers),
            list: page.map(shown),
            ...(next && { next: encodeCursor(`r${next.number} ${next.consumer}`) }),
          },
        },
      };
    },
  };
}

/** By consumer, and then by when it first spoke of the scope. */
function inOrder(
  one: Pick<Report, 'consumer' | 'number'>,
  other: Pick<Report, 'consumer' | 'number'>,
): number {
  if (one.consumer !== other.consumer) return one.consumer < other.consumer ? -1 : 1;
  return one.number - other.number;
}
