import type { Owner } from '#client';
import { carried, type SeenEvent, typeOf } from '../../data/seen-event';

/** Most rows that are shown, and most that wait while the page is paused: the oldest go. */
export const MOST_ROWS = 1_000;

export const FILTERS = ['user', 'project', 'type', 'environment'] as const;
export type Filter = Partial<Record<(typeof FILTERS)[number], string>>;

/** An event, read for its row; or a time in which none was heard. */
export type Row = EventRow | { key: string; gap: string };
export interface EventRow {
  key: string;
  event: SeenEvent;
  tenant: string;
  userId: string;
  projectId: string;
  type: string;
  /** Who asked for it, or whose session it is. */
  owner: Owner | undefined;
  environments: readonly string[];
}

export function rowOf(event: SeenEvent): EventRow {
  const [tenant = '', userId = '', projectId = ''] = event.subject.split('/').map(decodeURIComponent);
  const { session, previous, origin, by } = carried(event);
  const owner = origin ?? session?.owner ?? session?.previousOwner ?? previous?.owner;
  const environments = [owner, by, session?.owner, session?.previousOwner, session?.reservedFor].flatMap(
    (one) => one?.environment ?? [],
  );
  return { key: event.id, event, tenant, userId, projectId, type: typeOf(event), owner, environments };
}

/** Whether a row has all that is asked for somewhere in it; gaps are shown whatever is asked for. */
export function matches(row: Row, { user, project, type, environment }: Filter): boolean {
  if ('gap' in row) return true;
  const has = (text: string, part: string | undefined) => !part || text.includes(part);
  return (
    has(row.userId, user) &&
    has(row.projectId, project) &&
    (!type || row.type === type) &&
    (!environment || row.environments.some((one) => has(one, environment)))
  );
}

/** What came, the newest first: shown, or waiting while the page is paused. */
export class TailRows {
  shown: Row[] = [];
  waiting: Row[] = [];
  /** How many came and matched since the page was opened. */
  count = 0;
  isPaused = false;

  add(rows: readonly Row[]): void {
    this.count += rows.filter((row) => 'event' in row).length;
    const newest = [...rows].reverse();
    if (this.isPaused) this.waiting = [...newest, ...this.waiting].slice(0, MOST_ROWS);
    else this.shown = [...newest, ...this.shown].slice(0, MOST_ROWS);
  }

  pause(): void {
    this.isPaused = true;
  }

  goOn(): void {
    this.isPaused = false;
    this.shown = [...this.waiting, ...this.shown].slice(0, MOST_ROWS);
    this.waiting = [];
  }

  /** Keeps what matches as well under another filter. */
  keep(filter: Filter): void {
    this.shown = this.shown.filter((row) => matches(row, filter));
    this.waiting = this.waiting.filter((row) => matches(row, filter));
  }
}
