import { parseScopeKey } from '#session';
import type { Serving } from '../asked.js';
import type { Ledger, OutOfSync, ReportPlace } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { encodeCursor } from '../request/cursor.js';
import { syncFigures, withdrawn } from '../request/sync-figures.js';
import { scopeOf } from './scopes.js';

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
  async stats({ caller: { tenant, permissions }, query: { consumer, limit = 100, after } }, ledger) {
    const { reports } = ledger;
    const place = after === undefined ? undefined : placeOf(after);
    const [consumers, page, figures] = await Promise.all([
      reports.figures(tenant, consumer),
      reports.outOfSync(tenant, { consumer, after: place, limit }),
      permissions.has('audit') ? ledgerFigures(ledger) : {},
    ]);
    return {
      body: {
        ...figures,
        sync: {
          ...syncFigures(consumers),
          list: page.list.map(shown),
          ...(page.next && { next: cursorOf(page.next) }),
        },
      },
    };
  },
};

/** Of all tenants. */
async function ledgerFigures({ source, tail, reached }: Ledger) {
  const positions = await reached.look();
  const heads = tail.heads();
  const projected = heads.map((_, partition) => positions.get(partition) ?? 0);
  const behind = heads.map((head, partition) => Math.max(0, head - projected[partition]!));
  return {
    ledger: { source, partitions: heads.length, events: sum(heads), heads, restores: tail.restores },
    projection: { positions: projected, behind: sum(behind) },
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
    throw new ProblemError('invalid-request', 'query.after is nothing that a page here gave as next');
  }
  return { partition: Number(partition), scopeId, consumer };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
