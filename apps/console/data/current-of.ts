import type { Operations, Session } from '#client';
import { call } from './call';

/** All current sessions of a user, or those that an environment (or one instance of it) owns. */
export interface Selected {
  userId?: string;
  environment?: string;
  instance?: string;
}

/** More than these are not counted one by one: the page would hold the service busy with them. */
const MOST_COUNTED = 10_000;
const PAGE = 500;

export interface Counted {
  count: number;
  /** Whether there are more than were counted. */
  isMore: boolean;
  byStatus: Record<string, number>;
  /** The first few of them. */
  first: Session[];
}

const FIRST = 5;

/** Counts what a job would go through, a page at a time. `told` hears of each. */
export async function countCurrent(
  select: Selected,
  signal: AbortSignal,
  told: (counted: Counted) => void,
): Promise<void> {
  const counted: Counted = { count: 0, isMore: false, byStatus: {}, first: [] };
  for (let next: string | undefined; ; ) {
    const page = await pageOf(select, next, signal);
    for (const { status } of page.sessions) counted.byStatus[status] = (counted.byStatus[status] ?? 0) + 1;
    counted.count += page.sessions.length;
    counted.first = [...counted.first, ...page.sessions].slice(0, FIRST);
    next = page.next;
    counted.isMore = next !== undefined;
    if (next === undefined || counted.count >= MOST_COUNTED) break;
    told({ ...counted });
  }
  told({ ...counted });
}

async function pageOf(
  { userId, environment, instance }: Selected,
  next: string | undefined,
  signal: AbortSignal,
) {
  const from = next === undefined ? {} : { next };
  if (userId === undefined)
    return call('listCurrent', {
      query: {
        ...{ limit: PAGE, ...from },
        ...(environment !== undefined && { environment }),
        ...(instance !== undefined && { instance }),
      },
      signal,
    });
  const page: unknown = await call('currentSession', { query: { userId, all: true, ...from }, signal });
  return page as Operations['listCurrent']['answer'];
}

/** `3 sessions`, `more than 10,000 sessions`. */
export const numberOf = ({ count, isMore }: Counted) =>
  `${isMore ? 'more than ' : ''}${count.toLocaleString('en')} ${count === 1 ? 'session' : 'sessions'}`;
