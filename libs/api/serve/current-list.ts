import type { Serving } from '../asked.js';
import type { CurrentOrder, CurrentPage, ListedSession } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { cursorParts, encodeCursor } from '../request/cursor.js';
import { momentOf } from '../request/positions.js';
import { leasedJson, storedJson, withPosition } from './answers.js';

/** The order, milliseconds and a session: where a page ends stays a place, whatever starts and ends meanwhile. */
const PLACE = /^(newest|oldest|lease) (\d{1,15}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

const VERSION_PLACE = /^v([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A tenant's sessions whatever their scopes, from the read models. */
export const currentList: Pick<Serving, 'listCurrent' | 'versionSessions'> = {
  async versionSessions({ caller: { tenant }, query: { versionId, limit = 100, next } }, { models }) {
    const [after] = next === undefined ? [] : cursorParts(next, VERSION_PLACE, 'query.next');
    const { rows, last } = await models.ofVersion(tenant, { versionId, after, limit });
    const sessions = rows.map((row) => withPosition(storedJson(row), row)).join(',');
    return { json: `{"sessions":[${sessions}]${last ? `,"next":"${encodeCursor(`v${last}`)}"` : ''}}` };
  },
  async listCurrent({ caller: { tenant }, query }, { models }) {
    const { sort: order = 'newest', limit = 100, next, before, leaseBefore, ...filter } = query;
    const rows = await models.current(
      tenant,
      {
        ...filter,
        before: before && momentOf(before, 'query.before'),
        leaseBefore: leaseBefore && momentOf(leaseBefore, 'query.leaseBefore'),
      },
      { order, limit, after: next === undefined ? undefined : placeOf(next, order) },
    );
    const last = rows.length === limit ? rows.at(-1) : undefined;
    const more = last ? `,"next":"${cursorOf(last, order)}"` : '';
    return { json: `{"sessions":[${rows.map(shown).join(',')}]${more}}` };
  },
};

function shown({ leaseUntil, ...row }: ListedSession): string {
  const json = leasedJson({ ...row, ...(leaseUntil && { due: { leaseUntil } }) });
  return withPosition(json, row);
}

function cursorOf({ sessionId, json, leaseUntil }: ListedSession, order: CurrentOrder): string {
  const at = order === 'lease' ? leaseUntil : JSON.parse(json).startedAt;
  return encodeCursor(`${order} ${Date.parse(at)} ${sessionId}`);
}

function placeOf(next: string, order: CurrentOrder): CurrentPage['after'] {
  const [of, ms, sessionId = ''] = cursorParts(next, PLACE, 'query.next');
  if (of !== order) throw new ProblemError('invalid-request', `query.next is of a page with sort=${of}`);
  return { at: new Date(Number(ms)).toISOString(), sessionId };
}
