import type pg from 'pg';
import { leafHash } from '#audit';
import {
  type Bound,
  begin,
  bigints,
  booleans,
  byteas,
  commit,
  ints,
  send,
  smallints,
  texts,
  timestamps,
  uuids,
} from '#postgres';
import type { FeedEvent } from '../feed.port.js';
import { whoId } from '../ids.js';
import { statement } from '../statements.js';
import type { Batch } from './batch.js';
import type { Loaded } from './loaded.js';
import { bytesOf, type NewHead, type RowTypes } from './row-types.js';
import type { BatchRows, EventRow } from './rows.js';

const saveBatch = statement('save_batch');
const saveChanges = statement('save_changes');
const saveLeases = statement('save_leases');
const saveDetails = statement('save_details');
const saveIgnoredStops = statement('save_ignored_stops');
const saveCheckpoints = statement('save_checkpoints');
const lockHeads = statement('lock_heads');
/** Locks leases in order. Whoever changes some of many locks them so, and no two wait for each other in a circle. */
export const lockLeases = statement('lock_leases');
const eraseDetails = statement('erase_details');
const findEvent = statement('find_event');
const findTransaction = statement('find_transaction');

/**
 * A batch on its way into the log: what is needed after it was decided. All else of it may go, before Postgres has
 * answered: what outlives one collection of garbage costs several times what does not.
 */
export interface Written {
  /** The statements that write it, in order. */
  statements: readonly Bound[];
  /** Its events as followers will see them. */
  events: readonly FeedEvent[];
  /** Those that it has locked. */
  partitions: readonly number[];
  /** Its transaction, where it has no event but counts a stop. */
  transaction: string | undefined;
}

/** Makes the statements that write a decided batch. */
export function written({ rows, loaded }: Batch, types: RowTypes): Written {
  const { events, statements: ofEvents } = tables(rows, loaded, types);
  const statements = [
    lockedLeases(rows),
    erasedDetails(rows),
    ...ofEvents,
    leases(rows),
    details(rows),
    ignoredStops(rows),
    checkpoints(rows),
    ...loaded.handles.saving(),
  ].filter((statement) => statement !== undefined);
  const { heads, transaction } = loaded;
  return { statements, events, partitions: [...heads.keys()], transaction };
}

/**
 * Writes a batch and commits it: one round trip. Throws what Postgres answered; any other error means that the
 * connection was lost, and then nobody knows yet whether the batch was committed.
 */
export async function save(client: pg.Client, { statements }: Written): Promise<void> {
  const results = await send(client, [...statements, commit]);
  // COMMIT of a transaction that failed before answers ROLLBACK, not an error.
  if (results.at(-1)?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
}

/**
 * Whether a batch whose COMMIT was not answered stands in the log. Waits for the locks of its partitions,
 * so its transaction is over; its first event is there with the same bytes, or nothing of it is. Without an event,
 * Postgres says what became of the transaction, unless doing the batch again changes nothing anyway: only counts
 * add up. Commits, since locking is a write: what it has read is then as durable as the batch's own COMMIT would
 * have made it.
 */
export async function wasCommitted(client: pg.Client, written: Written): Promise<boolean> {
  const { events, partitions, transaction } = written;
  const first = events[0];
  if (!first && transaction === undefined) return false;
  const [, , event, ended] = await send(client, [
    begin,
    { ...lockHeads, values: [smallints(partitions)] },
    first && { ...findEvent, values: [first.partition, first.sequence] },
    first ? undefined : { ...findTransaction, values: [transaction] },
    commit,
  ]);
  if (!first) return ended?.rows[0]?.status === 'committed';
  const row = event?.rows[0];
  return row !== undefined && first.bytes.equals(row.bytes);
}

/** Events, what they make of scopes and sessions, receipts and heads; nothing where there is no event. */
function tables(
  rows: BatchRows,
  { heads }: Loaded,
  types: RowTypes,
): { events: readonly FeedEvent[]; statements: Bound[] } {
  if (rows.events.length === 0) return { events: [], statements: [] };
  // First, because they make the bytes of which all else is a part.
  const eventRecords = types.events(rows.events);
  const events = rows.events.map(committed);
  const scopes = parted(rows.scopes.values());
  const sessions = parted(rows.sessions.values());
  const values = [
    eventRecords,
    types.scopes(scopes.created),
    types.sessions(sessions.created),
    types.receipts(rows.receipts),
    types.heads(newHeads(events, heads, rows)),
  ];
  const statements: Bound[] = [{ ...saveBatch, values }];
  if (scopes.changed.length > 0 || sessions.changed.length > 0) {
    const values = [types.scopes(scopes.changed), types.sessions(sessions.changed)];
    statements.push({ ...saveChanges, values });
  }
  return { events, statements };
}

/** Those that have no row yet, and those that have one. */
function parted<Row extends { isNew: boolean }>(rows: Iterable<Row>): Record<'created' | 'changed', Row[]> {
  const created: Row[] = [];
  const changed: Row[] = [];
  for (const row of rows) (row.isNew ? created : changed).push(row);
  return { created, changed };
}

/** An event as followers will see it. */
function committed(event: EventRow): FeedEvent {
  const { partition, sequence, scopeKey, type, epoch } = event;
  return { partition, sequence, scopeKey, type, epoch, bytes: bytesOf(event) };
}

/** The new right edge of each partition's tree, for two hashes an event. */
function newHeads(events: readonly FeedEvent[], locked: Loaded['heads'], rows: BatchRows): NewHead[] {
  const leaves = new Map<number, Buffer[]>();
  for (const { partition, bytes } of events) {
    const hashes = leaves.get(partition);
    if (hashes) hashes.push(leafHash(bytes));
    else leaves.set(partition, [leafHash(bytes)]);
  }
  const lastAt = new Map(rows.events.map((row) => [row.partition, row.at]));
  return [...leaves].map(([partition, hashes]) => {
    const frontier = locked.get(partition)?.frontier.append(hashes);
    if (!frontier) throw new Error(`partition ${partition} was not locked`);
    return { partition, frontier, at: lastAt.get(partition) };
  });
}

/** In order, so that this and a renewal of many leases never wait for each other in a circle. */
function lockedLeases({ leases }: BatchRows): Bound | undefined {
  if (leases.size === 0) return undefined;
  const rows = [...leases.values()];
  return {
    ...lockLeases,
    values: [smallints(rows, (row) => row.partition), uuids(rows, (row) => row.sessionId)],
  };
}

function leases({ leases }: BatchRows): Bound | undefined {
  if (leases.size === 0) return undefined;
  const rows = [...leases.values()];
  const kept = rows.flatMap((row) => (row.timer ? [{ ...row, ...row.timer }] : []));
  const gone = rows.filter((row) => !row.timer);
  const values = [
    smallints(kept, (row) => row.partition),
    uuids(kept, (row) => row.sessionId),
    bigints(kept, (row) => row.epoch),
    ints(kept, (row) => row.seconds),
    booleans(kept, (row) => row.renewable),
    timestamps(kept, (row) => row.until),
    uuids(kept, (row) => whoId(row.tenant)),
    uuids(kept, (row) => whoId(row.principal)),
    smallints(gone, (row) => row.partition),
    uuids(gone, (row) => row.sessionId),
  ];
  return { ...saveLeases, values };
}

function erasedDetails({ erased }: BatchRows): Bound | undefined {
  if (erased.size === 0) return undefined;
  const rows = [...erased.values()];
  return {
    ...eraseDetails,
    values: [smallints(rows, (row) => row.partition), uuids(rows, (row) => row.scopeId)],
  };
}

function details({ details }: BatchRows): Bound | undefined {
  if (details.length === 0) return undefined;
  const values = [
    smallints(details, (row) => row.partition),
    uuids(details, (row) => row.scopeId),
    texts(details, (row) => row.digest),
    byteas(details, (row) => row.salt),
    texts(details, (row) => row.body),
  ];
  return { ...saveDetails, values };
}

function ignoredStops({ ignoredStops }: BatchRows): Bound | undefined {
  if (ignoredStops.size === 0) return undefined;
  const stops = [...ignoredStops.values()];
  const values = [
    smallints(stops, (row) => row.partition),
    uuids(stops, (row) => row.scopeId),
    uuids(stops, (row) => row.sessionId),
    uuids(stops, (row) => row.stopId),
    texts(stops, (row) => row.why),
    bigints(stops, (row) => row.sequence),
    bigints(stops, (row) => row.count),
  ];
  return { ...saveIgnoredStops, values };
}

function checkpoints({ checkpoints }: BatchRows): Bound | undefined {
  if (checkpoints.length === 0) return undefined;
  const values = [
    smallints(checkpoints, (row) => row.partition),
    uuids(checkpoints, (row) => row.scopeId),
    texts(checkpoints, (row) => row.label),
    uuids(checkpoints, (row) => row.sessionId),
    bigints(checkpoints, (row) => row.sequence),
    timestamps(checkpoints, (row) => row.at),
  ];
  return { ...saveCheckpoints, values };
}
