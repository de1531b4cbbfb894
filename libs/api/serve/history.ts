import type { Answered, Asked, Serving } from '../asked.js';
import type { Ledger, ProjectedSession, ScopePlace } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { decodeCursor, encodeCursor } from '../request/cursor.js';
import { noSuchPosition, positionOf, positionText } from '../request/positions.js';
import { storedJson, withPosition } from './answers.js';
import { pastOf } from './past.js';
import { scopeOf } from './scopes.js';

const SEQUENCE = /^s(\d{1,15})$/;
const SESSION = /^c([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** The longest that a reader waits for the position that it asked for. */
const WAIT_MS = 5_000;

type History = Pick<Serving, 'sessions' | 'chain' | 'usage' | 'transitions'>;

/** What was, from the read models. */
export const history: History = {
  async sessions(asked, ledger) {
    const { after, limit = 100, versionId } = asked.query;
    const before = sequenceOf(after);
    const { scope, wanted } = placed(asked, ledger);
    const { rows, headers } = await reach(asked, scope, wanted, ledger, () =>
      ledger.models.sessions(scope, { before, limit, versionId }),
    );
    if (versionId !== undefined && rows.length === 0 && after === undefined) {
      return { headers, problem: { code: 'unknown-version' } };
    }
    const next = rows.length === limit ? rows.at(-1)?.started : undefined;
    return { headers, ...page('sessions', shown(rows, scope), next && `s${next}`) };
  },
  async chain(asked, ledger) {
    const { after, asOf, limit = 100, sessionId: named } = asked.query;
    if (asOf !== undefined && named !== undefined) {
      throw new ProblemError(
        'invalid-request',
        'query.asOf and query.sessionId ask for two different chains',
      );
    }
    const { scope, wanted } = placed(asked, ledger);
    const then = asOf === undefined ? undefined : await pastOf(scope, asOf, ledger);
    if (asOf !== undefined && !then) return page('sessions', [], undefined);
    const from = after === undefined ? (then?.session.sessionId ?? named) : decodeCursor(after, SESSION);
    const { rows, usage, headers } = await reach(
      asked,
      scope,
      Math.max(wanted, then?.until ?? 0),
      ledger,
      () =>
        ledger.models.chain(scope, {
          from,
          limit: limit + 1,
          asOf: then && { until: then.until, tip: then.session.sessionId },
        }),
    );
    if (from !== undefined && rows.length === 0) return { headers, problem: { code: 'unknown-session' } };
    if (then && after === undefined) {
      const { session, position, until: _, ...stored } = then;
      const { sessionId } = session;
      rows[0] = { sessionId, started: rows[0]!.started, ...stored, sequence: position.sequence };
    }
    const next = rows[limit]?.sessionId;
    return { headers, ...page('sessions', shown(rows.slice(0, limit), scope), next && `c${next}`, usage) };
  },
  async usage(asked, ledger) {
    const { asOf } = asked.query;
    const { scope, wanted } = placed(asked, ledger);
    const then = asOf === undefined ? undefined : await pastOf(scope, asOf, ledger);
    const until = asOf === undefined ? undefined : (then?.until ?? 0);
    const { usage, headers } = await reach(asked, scope, Math.max(wanted, until ?? 0), ledger, () =>
      ledger.models.usage(scope, until),
    );
    return { headers, json: usage === null ? '{}' : `{"usage":${usage}}` };
  },
  async transitions(asked, ledger) {
    const { after, limit = 100 } = asked.query;
    const before = sequenceOf(after);
    const { scope, wanted } = placed(asked, ledger);
    const { rows, headers } = await reach(asked, scope, wanted, ledger, () =>
      ledger.models.transitions(scope, { before, limit }),
    );
    const next = rows.length === limit ? rows.at(-1)?.sequence : undefined;
    const items = rows.map(({ json, sequence }) => withPosition(json, { ...scope, sequence }));
    return { headers, ...page('transitions', items, next && `s${next}`) };
  },
};

type Query = Asked<'usage'>['query'];
type AskedOne = Pick<Asked<'usage'>, 'caller' | 'header' | 'gone'> & { query: Query };

/** The scope that a request is about, and the sequence that its answer has to know, from query or header. */
function placed(asked: AskedOne, ledger: Ledger): { scope: ScopePlace; wanted: number } {
  const { caller, query } = asked;
  const scope = scopeOf(caller, query, ledger);
  const text = query.atLeast ?? asked.header('ledger-position');
  if (text === undefined) return { scope, wanted: 0 };
  return { scope, wanted: positionOf(text, scope.partition, whereAsked(query)).sequence };
}

/**
 * What is read, once it knows what was asked for. Throws `projection-behind` when that takes over 5 s, and
 * `invalid-request` at once when the log has no such position.
 */
async function reach<Page extends { reached: number }>(
  asked: AskedOne,
  { partition }: ScopePlace,
  wanted: number,
  { reached }: Ledger,
  read: () => Promise<Page>,
): Promise<Page & { headers: Record<string, string> }> {
  let found = await read();
  if (found.reached < wanted) {
    const { query } = asked;
    if (await reached.isAhead(partition, wanted)) {
      throw noSuchPosition(whereAsked(query), { partition, sequence: wanted });
    }
    if (!(await reached.wait(partition, wanted, WAIT_MS, asked.gone()))) {
      throw new ProblemError('projection-behind', `${partition}:${wanted} was not projected within 5 s`);
    }
    found = await read();
  }
  return { ...found, headers: { 'ledger-position': positionText({ partition, sequence: found.reached }) } };
}

function whereAsked({ atLeast }: Query): string {
  return atLeast === undefined ? 'header.ledger-position' : 'query.atLeast';
}

function sequenceOf(after: string | undefined): number | undefined {
  return after === undefined ? undefined : Number(decodeCursor(after, SEQUENCE));
}

function shown(rows: readonly ProjectedSession[], scope: ScopePlace): string[] {
  return rows.map((row) => withPosition(storedJson(row), { ...scope, sequence: row.sequence }));
}

function page(
  name: string,
  items: readonly string[],
  next: string | undefined | 0 | '',
  usage?: string | null,
): Answered {
  const more = next ? `,"next":${JSON.stringify(encodeCursor(next))}` : '';
  const used = typeof usage === 'string' ? `,"usage":${usage}` : '';
  return { json: `{"${name}":[${items.join(',')}]${used}${more}}` };
}
