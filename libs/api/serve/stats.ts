import { parseScopeKey } from '#session';
import type { Asked, Serving } from '../asked.js';
import type { Caller } from '../caller.js';
import type { CurrentCounts, Ledger, OutOfSync, ReportPlace } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { encodeCursor } from '../request/cursor.js';
import { syncFigures, withdrawn } from '../request/sync-figures.js';
import { scopeOf } from './scopes.js';
import { shared } from './shared.js';

const PLACE = /^r(\d{1,4}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) ([A-Za-z0-9_.:-]{1,64})$/;

/** What consumers hold, and figures. */
export const stats: Pick<Serving, 'report' | 'withdrawReports' | 'stats'> = {
  async report({ caller, body }, ledger) {
    const reports = body.map(({ consumer, sessionId, ...scope }) => {
      const { scopeKey, partition } = scopeOf(caller, scope, ledger);
      return { consumer, sessionId, scopeKey, partition };
    });
    return { body: await ledger.reports.take(caller.tenant, reports) };
  },
  async withdrawReports({ caller, query }, ledger) {
    const { consumer, userId, projectId = 'default' } = withdrawn(query);
    const scope = userId === undefined ? undefined : scopeOf(caller, { userId, projectId }, ledger);
    return { body: { withdrawn: await ledger.reports.withdraw(caller.tenant, consumer, scope) } };
  },
  async stats({ caller, query: { maxAge = 0, ...query } }, ledger) {
    const key = JSON.stringify([caller.tenant, caller.permissions.has('audit'), query]);
    return { body: await shared(ledger, key, maxAge * 1_000, () => figures(caller, query, ledger)) };
  },
};

/** So old a count of all that is current may be, in milliseconds: it reads all of it. */
const COUNTS_MS = 1_000;

async function figures(
  { tenant, permissions }: Caller,
  { consumer, limit = 100, after }: Asked<'stats'>['query'],
  ledger: Ledger,
): Promise<object> {
  const { reports, running, models } = ledger;
  const mayKnowAll = permissions.has('audit');
  const place = after === undefined ? undefined : placeOf(after);
  const [consumers, page, counts, ofAll] = await Promise.all([
    reports.figures(tenant, consumer),
    reports.outOfSync(tenant, { consumer, after: place, limit }),
    shared(ledger, `counts ${tenant}`, COUNTS_MS, () => models.counts(tenant)),
    mayKnowAll ? ledgerFigures(ledger) : {},
  ]);
  const { id: replica, since } = running.replica;
  return {
    at: new Date().toISOString(),
    current: currentFigures(counts),
    traffic: {
      ...{ replica, since, ...running.traffic(tenant) },
      ...(mayKnowAll && { all: running.traffic(undefined) }),
    },
    ...ofAll,
    sync: {
      ...syncFigures(consumers),
      list: page.list.map(shown),
      ...(page.next && { next: cursorOf(page.next) }),
    },
  };
}

function currentFigures({ byStatus, byEnvironment }: CurrentCounts) {
  const counts = Object.fromEntries(byStatus.map(({ status, count }) => [status, count]));
  return {
    total: sum(byStatus.map(({ count }) => count)),
    byStatus: { starting: 0, active: 0, released: 0, ending: 0, ...counts },
    byEnvironment,
  };
}

/** Of all tenants. */
async function ledgerFigures({ source, tail, reached, running }: Ledger) {
  const [positions, relays, replicas] = await Promise.all([
    reached.look(),
    running.relays(),
    running.replicas(),
  ]);
  const heads = tail.heads();
  const projected = heads.map((_, partition) => positions.get(partition) ?? 0);
  const behind = heads.map((head, partition) => Math.max(0, head - projected[partition]!));
  return {
    ledger: { source, partitions: heads.length, events: sum(heads), heads, restores: tail.restores },
    projection: { positions: projected, behind: sum(behind) },
    relay: {
      confirmed: relays.map(({ confirmed }) => confirmed),
      behind: sum(relays.map(({ partition, confirmed }) => Math.max(0, heads[partition]! - confirmed))),
      held: relays.filter(({ held }) => held).length,
    },
    replicas,
  };
}

function shown({ scopeKey, ...one }: OutOfSync) {
  const { userId, projectId } = parseScopeKey(scopeKey);
  return { userId, projectId, ...one };
}

function cursorOf({ partition, scopeId, consumer }: ReportPlace): string {
  return encodeCursor(`r${partition} ${scopeId} ${consumer}`);
}

function placeOf(after: string): ReportPlace {
  const [, partition, scopeId = '', consumer = ''] =
    PLACE.exec(Buffer.from(after, 'base64url').toString()) ?? [];
  if (partition === undefined) {
    throw new ProblemError('invalid-request', 'query.after has to be the next of an earlier page');
  }
  return { partition: Number(partition), scopeId, consumer };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
