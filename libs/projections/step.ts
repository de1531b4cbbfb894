import type pg from 'pg';
import { versionKey } from '#log';
import {
  type Bound,
  begin,
  bigints,
  booleans,
  commit,
  ints,
  type RowOf,
  send,
  smallints,
  texts,
  uuids,
  type Value,
} from '#postgres';
import {
  foldSessions,
  foldTransitions,
  foldUsage,
  type PlacedTold,
  type SessionRow,
  type TransitionRow,
} from '#session';
import { statement } from './statements.js';
import { readTold, UnprojectableEvent } from './stored-event.js';

const lockProjection = statement('lock_projection');
const readUnprojected = statement('read_unprojected');
const saveProjection = statement('save_projection');
const saveUsage = statement('save_usage');

/** A partition, and the most events to take of it. */
export interface AskedPage {
  partition: number;
  most: number;
}

/** How far a partition has come. */
export interface Stepped {
  sequence: number;
  /** Those that the step took. */
  events: number;
  /** Why it took no further one: the next event cannot be projected. */
  fault?: UnprojectableEvent;
}

/**
 * Projects the next events of some partitions of a generation: rows and positions in one transaction, two round trips,
 * however many partitions. Without those that another is at, or whose generation is gone. `client` is a connection of
 * its own. Throws what Postgres says; nothing is changed then.
 */
export function step(
  client: pg.Client,
  generation: number,
  asked: readonly AskedPage[],
): Promise<Map<number, Stepped>> {
  const partitions = smallints(asked, ({ partition }) => partition);
  const values = [partitions, ints(asked, ({ most }) => most), generation];
  return project(client, generation, partitions, { ...readUnprojected, values });
}

/** The same for events of one partition that the table no longer has: those after where it stands, dense. */
export async function stepThrough(
  client: pg.Client,
  generation: number,
  events: readonly UnprojectedEvent[],
): Promise<Map<number, Stepped>> {
  const partitions = smallints(events.slice(0, 1), ({ partition }) => partition);
  return project(client, generation, partitions, events);
}

/** An event as it is read to be projected. */
export type UnprojectedEvent = RowOf<typeof readUnprojected>;

/** What comes next in a partition. */
interface Page {
  partition: number;
  /** Where it stands before. */
  position: number;
  told: PlacedTold[];
  fault?: UnprojectableEvent;
}

async function project(
  client: pg.Client,
  generation: number,
  partitions: Buffer,
  coming: Bound<UnprojectedEvent> | readonly UnprojectedEvent[],
): Promise<Map<number, Stepped>> {
  try {
    const read = 'text' in coming ? coming : undefined;
    const lock = { ...lockProjection, values: [partitions, generation] };
    const [, locked, found] = await send(client, [begin, lock, read]);
    const events: readonly UnprojectedEvent[] = 'text' in coming ? (found?.rows ?? []) : coming;
    const pages = readPages(locked?.rows ?? [], events);
    const full = pages.filter(({ told }) => told.length > 0);
    if (full.length === 0) await client.query('rollback');
    else {
      const values = columns(generation, full);
      const used = usageColumns(generation, full);
      await send(client, [used && { ...saveUsage, values: used }, { ...saveProjection, values }, commit]);
    }
    return new Map(pages.map((page) => [page.partition, stepped(page)]));
  } catch (error) {
    await client.query('rollback').catch(() => {}); // the connection is lost, and the transaction with it
    throw error;
  }
}

function stepped({ position, told, fault }: Page): Stepped {
  return { sequence: position + told.length, events: told.length, ...(fault && { fault }) };
}

/** What the locked partitions are told, each up to an event that cannot be projected. */
function readPages(
  locked: readonly { partition: number; sequence: number }[],
  events: readonly UnprojectedEvent[],
): Page[] {
  const pages = new Map<number, Page>();
  for (const { partition, sequence: position } of locked)
    pages.set(partition, { partition, position, told: [] });
  for (const event of events) {
    const page = pages.get(event.partition);
    if (page && !page.fault) add(page, event);
  }
  return [...pages.values()];
}

function add(page: Page, { sequence, scope_id: scopeId, text }: UnprojectedEvent): void {
  const { partition, position, told } = page;
  const expected = position + told.length + 1;
  try {
    // Dense numbers: a hole would be an event that nobody would ever project.
    if (sequence !== expected) throw new UnprojectableEvent(partition, expected, 'it is missing in the log');
    told.push(readTold(partition, { sequence, scopeId, text }));
  } catch (error) {
    if (!(error instanceof UnprojectableEvent)) throw error;
    page.fault = error;
  }
}

/** A row of a read model, and the partition that it is of. */
interface Placed<Row> {
  partition: number;
  row: Row;
}

/** The parameters of save_projection.sql. */
function columns(generation: number, pages: readonly Page[]): Value[] {
  return [
    generation,
    smallints(pages, ({ partition }) => partition),
    bigints(pages, ({ position, told }) => position + told.length),
    ...sessionColumns(rowsOf(pages, foldSessions)),
    ...transitionColumns(rowsOf(pages, foldTransitions)),
  ];
}

function rowsOf<Row>(
  pages: readonly Page[],
  fold: (told: readonly PlacedTold[]) => Map<unknown, Row>,
): Placed<Row>[] {
  return pages.flatMap(({ partition, told }) =>
    Array.from(fold(told).values(), (row) => ({ partition, row })),
  );
}

function sessionColumns(rows: readonly Placed<SessionRow>[]): Buffer[] {
  return [
    smallints(rows, ({ partition }) => partition),
    uuids(rows, ({ row }) => row.sessionId),
    uuids(rows, ({ row }) => row.scopeId),
    bigints(rows, ({ row }) => row.started),
    bigints(rows, ({ row }) => row.sequence),
    uuids(rows, ({ row }) => row.session.parentId),
    uuids(rows, ({ row: { session } }) => session.versionId && versionKey(session.versionId)),
    texts(rows, ({ row }) => row.session.attributesDigest),
    texts(rows, ({ row }) => JSON.stringify(row.session)),
  ];
}

function transitionColumns(rows: readonly Placed<TransitionRow>[]): Buffer[] {
  return [
    smallints(rows, ({ partition }) => partition),
    uuids(rows, ({ row }) => row.sessionId),
    booleans(rows, ({ row }) => row.came),
    uuids(rows, ({ row }) => row.scopeId),
    bigints(rows, ({ row }) => row.sequence),
    texts(rows, ({ row }) => JSON.stringify(row.transition)),
  ];
}

/** The parameters of save_usage.sql; undefined when nothing was used. */
function usageColumns(generation: number, pages: readonly Page[]): Value[] | undefined {
  const rows = pages.flatMap(({ partition, told }) => foldUsage(told).map((row) => ({ partition, ...row })));
  if (rows.length === 0) return undefined;
  return [
    generation,
    smallints(rows, ({ partition }) => partition),
    uuids(rows, (row) => row.ofId),
    texts(rows, (row) => row.currency),
    bigints(rows, (row) => row.sequence),
    bigints(rows, ({ usage }) => usage.inputTokens ?? 0),
    bigints(rows, ({ usage }) => usage.outputTokens ?? 0),
    bigints(rows, ({ usage }) => usage.cachedTokens ?? 0),
    bigints(rows, ({ usage }) => usage.durationMs ?? 0),
    `{${rows.map(({ usage }) => usage.cost?.amount ?? 0).join(',')}}`, // decimals need no quotes in an array's text
  ];
}
