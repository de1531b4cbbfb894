import {
  decodeCursor,
  encodeCursor,
  noSuchPosition,
  ProblemError,
  positionOf,
  positionText,
} from '#protocol';
import {
  foldSessions,
  foldTransitions,
  foldUsage,
  type PlacedTold,
  partitionOf,
  type ScopeKey,
  type SessionRow,
  sumOf,
  toldBy,
  type UsageTotals,
} from '#session';
import { sessionAsOf } from './past.js';
import { type Answered, type Asked, type Serving, scopeKeyOf } from './serving.js';
import type { Store } from './store.js';

type History = Pick<Serving, 'sessions' | 'chain' | 'usage' | 'transitions'>;

const SEQUENCE = /^s(\d{1,15})$/;
const SESSION = /^c([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Serves what was: read models that are folded from a scope's events when they are asked for. */
export function history(store: Store): History {
  /** What a scope's events up to a sequence say. */
  function told(scopeKey: ScopeKey, until = Number.POSITIVE_INFINITY): PlacedTold[] {
    const events = store.scope(scopeKey)?.events.filter(({ sequence }) => sequence <= until) ?? [];
    return events.map(({ event, at, sequence }) => ({ sequence, scopeId: scopeKey, ...toldBy(event, at) }));
  }

  /** How far the answer knows: all of the log. Throws `invalid-request` for a position that it has not. */
  function reached({ query, headers }: Asked<keyof History>): Record<string, string> {
    const partition = partitionOf(scopeKeyOf(query), store.partitions);
    const header = headers.get('ledger-position');
    const text = query.atLeast ?? header;
    const place = query.atLeast === undefined ? 'header.ledger-position' : 'query.atLeast';
    const wanted = text === null || text === undefined ? 0 : positionOf(text, partition, place).sequence;
    if (store.log(partition).length < wanted) throw noSuchPosition(place, { partition, sequence: wanted });
    return { 'ledger-position': positionText({ partition, sequence: store.log(partition).length }) };
  }

  /** What was used in a chain, by its root, or in the scope itself. */
  function used(scopeKey: ScopeKey, of: string, until?: number): UsageTotals {
    const reports = foldUsage(told(scopeKey, until)).filter(({ ofId }) => ofId === of);
    return sumOf(reports.map(({ usage }) => usage));
  }

  function placed({ session, sequence }: SessionRow, scopeKey: ScopeKey): object {
    const partition = partitionOf(scopeKey, store.partitions);
    return { ...store.details.shown(session), position: { partition, sequence } };
  }

  return {
    sessions(asked) {
      const { after, limit = 100, versionId } = asked.query;
      const before = sequenceOf(after);
      const headers = reached(asked);
      const scopeKey = scopeKeyOf(asked.query);
      const rows = [...foldSessions(told(scopeKey)).values()]
        .filter(({ session }) => versionId === undefined || session.versionId === versionId)
        .sort((one, other) => startOf(other) - startOf(one))
        .filter((row) => startOf(row) < before);
      if (versionId !== undefined && rows.length === 0 && after === undefined) {
        return { headers, problem: { code: 'unknown-version' } };
      }
      const page = rows.slice(0, limit);
      const last = page.length === limit ? page.at(-1) : undefined;
      const sessions = page.map((row) => placed(row, scopeKey));
      return { headers, body: { sessions, ...(last && { next: encodeCursor(`s${startOf(last)}`) }) } };
    },
    chain(asked): Answered {
      const { after, asOf, limit = 100, sessionId } = asked.query;
      if (asOf !== undefined && sessionId !== undefined) {
        throw new ProblemError(
          'invalid-request',
          'query.asOf and query.sessionId ask for two different chains',
        );
      }
      const headers = reached(asked);
      const scopeKey = scopeKeyOf(asked.query);
      const then = asOf === undefined ? undefined : sessionAsOf(store, scopeKey, asOf);
      if (asOf !== undefined && !then) return { body: { sessions: [] } };
      const rows = foldSessions(told(scopeKey, then?.until));
      const latest = store.scope(scopeKey)?.state.latest?.sessionId;
      const start = then?.session.sessionId ?? sessionId;
      const from = after === undefined ? start : decodeCursor(after, SESSION);
      const line = chainFrom(rows, from ?? latest);
      if (from !== undefined && line.length === 0) return { headers, problem: { code: 'unknown-session' } };
      const [tip] = line;
      if (then && tip && after === undefined) {
        line[0] = { ...tip, session: then.session, sequence: then.position.sequence };
      }
      const next = line[limit]?.sessionId;
      const sessions = line.slice(0, limit).map((row) => placed(row, scopeKey));
      const usage = tip && { usage: used(scopeKey, tip.session.rootId, then?.until) };
      return { headers, body: { sessions, ...usage, ...(next && { next: encodeCursor(`c${next}`) }) } };
    },
    usage(asked) {
      const { asOf } = asked.query;
      const headers = reached(asked);
      const scopeKey = scopeKeyOf(asked.query);
      const until = asOf === undefined ? undefined : (sessionAsOf(store, scopeKey, asOf)?.until ?? 0);
      return { headers, body: { usage: used(scopeKey, scopeKey, until) } };
    },
    transitions(asked) {
      const { after, limit = 100 } = asked.query;
      const before = sequenceOf(after);
      const headers = reached(asked);
      const scopeKey = scopeKeyOf(asked.query);
      const partition = partitionOf(scopeKey, store.partitions);
      const page = [...foldTransitions(told(scopeKey)).values()]
        .reverse()
        .filter(({ sequence }) => sequence < before)
        .slice(0, limit);
      const last = page.length === limit ? page.at(-1) : undefined;
      const transitions = page.map(({ transition, sequence }) => ({
        ...transition,
        position: { partition, sequence },
      }));
      return { headers, body: { transitions, ...(last && { next: encodeCursor(`s${last.sequence}`) }) } };
    },
  };
}

function startOf({ started = 0 }: SessionRow): number {
  return started;
}

function sequenceOf(after: string | undefined): number {
  return after === undefined ? Number.POSITIVE_INFINITY : Number(decodeCursor(after, SEQUENCE));
}

/** A session and those before it, to the root. */
function chainFrom(rows: ReadonlyMap<string, SessionRow>, from: string | undefined): SessionRow[] {
  const line: SessionRow[] = [];
  for (let row = rows.get(from ?? ''); row; row = rows.get(row.session.parentId ?? '')) line.push(row);
  return line;
}
