import { CURRENT_STATUSES, type Operations } from '#client';

export type ListQuery = NonNullable<Operations['listCurrent']['query']>;

/** What stands in the address of the list. Spans are kept as spans: a link to what is older than a day stays one. */
export interface ListAddress {
  environment?: string;
  instance?: string;
  status?: string;
  projectId?: string;
  olderThan?: string;
  leaseWithin?: string;
  resetAdvised?: string;
  sort?: string;
  next?: string;
}

const SPAN = /^(\d{1,9})(s|m|h|d)$/;
const MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const ORDERS = ['newest', 'oldest', 'lease'] as const;
const PAGE = 100;

/** What the service is asked for, as of now. Throws with what is wrong, and where. */
export function listQueryOf(address: ListAddress, now = Date.now()): ListQuery {
  const { environment, instance, projectId, olderThan, leaseWithin, resetAdvised, next } = address;
  const [status, sort] = [
    oneOf(CURRENT_STATUSES, address.status, 'status'),
    oneOf(ORDERS, address.sort, 'sort'),
  ];
  return {
    limit: PAGE,
    ...(environment && { environment }),
    ...(instance && { instance }),
    ...(projectId && { projectId }),
    ...(status && { status }),
    ...(sort && { sort }),
    ...(olderThan && { before: moment(now - span(olderThan, 'older than')) }),
    ...(leaseWithin && { leaseBefore: moment(now + span(leaseWithin, 'lease ends within')) }),
    ...(resetAdvised && { resetAdvised: resetAdvised === 'true' }),
    ...(next && { next }),
  };
}

const moment = (at: number): string => new Date(Math.max(0, at)).toISOString();

function span(text: string, field: string): number {
  const [, count, unit = ''] = SPAN.exec(text.trim()) ?? [];
  const ms = Number(count) * (MS[unit] ?? Number.NaN);
  // A date has to have four digits for its year.
  if (!(ms <= 100 * 365 * 86_400_000))
    throw new Error(`${field}: enter a duration such as 30m, 12h or 7d, not "${text.slice(0, 40)}".`);
  return ms;
}

function oneOf<Word extends string>(
  words: readonly Word[],
  text: string | undefined,
  field: string,
): Word | undefined {
  if (text === undefined || text === '') return undefined;
  const known = words.find((word) => word === text);
  if (known === undefined) throw new Error(`${field} must be one of ${words.join(', ')}.`);
  return known;
}
