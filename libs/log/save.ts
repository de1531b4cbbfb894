import type pg from 'pg';
import { leafHash } from '#audit';
import type { Batch } from './batch.js';
import { together } from './load.js';
import type { BatchRows } from './rows.js';
import { list, listOf, statement } from './statements.js';

const saveBatch = statement('save_batch');
const saveCheckpoints = statement('save_checkpoints');
const lockHeads = statement('lock_heads');
const lockLeases = statement('lock_leases');
const eraseDetails = statement('erase_details');
const findEvent = statement('find_event');

/**
 * Writes a decided batch and commits it: one round trip. Throws what Postgres answered; any other error
 * means that the connection was lost, and then nobody knows yet whether the batch was committed.
 */
export async function save(client: pg.Client, batch: Batch): Promise<void> {
  const values = batch.rows.isEmpty ? undefined : columns(batch);
  const leases = [...batch.rows.leases.values()];
  const locks = leases.length > 0 && [
    list(leases, (row) => row.partition),
    list(leases, (row) => row.sessionId),
  ];
  const erased = [...batch.rows.erased.values()];
  const gone = erased.length > 0 && [
    list(erased, (row) => row.partition),
    list(erased, (row) => row.scopeId),
  ];
  const results = await together(client, () => [
    locks ? client.query({ ...lockLeases, values: locks }) : undefined,
    gone ? client.query({ ...eraseDetails, values: gone }) : undefined,
    values && client.query({ ...saveBatch, values }),
    batch.rows.checkpoints.length > 0
      ? client.query({ ...saveCheckpoints, values: checkpointColumns(batch.rows) })
      : undefined,
    ...batch.loaded.handles.saving().map((query) => client.query(query)),
    client.query('commit'),
  ]);
  // COMMIT of a transaction that failed before answers ROLLBACK, not an error.
  if (results.at(-1)?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
}

/**
 * Whether a batch whose COMMIT was not answered stands in the log. Waits for the locks of its partitions,
 * so its transaction is over; its first event is there with the same bytes, or nothing of it is. Commits, since
 * locking is a write: what it has read is then as durable as the batch's own COMMIT would have made it.
 */
export async function wasCommitted(client: pg.Client, { rows, bytes, loaded }: Batch): Promise<boolean> {
  const first = rows.events[0];
  if (!first) return false;
  const [, , found] = await together(client, () => [
    client.query('begin'),
    client.query({ ...lockHeads, values: [listOf(loaded.heads.keys())] }),
    client.query({ ...findEvent, values: [first.partition, first.sequence] }),
    client.query('commit'),
  ]);
  const wanted = bytes.subarray(first.bytes.start, first.bytes.start + first.bytes.length);
  return found?.rows[0] !== undefined && wanted.equals(found.rows[0].bytes);
}

/** The parameters of save_batch.sql, table by table. */
function columns(batch: Batch): unknown[] {
  const { rows, bytes } = batch;
  return [
    bytes,
    ...eventColumns(rows),
    ...scopeColumns(rows),
    ...leaseColumns(rows),
    ...sessionColumns(rows),
    ...detailsColumns(rows),
    ...receiptColumns(rows),
    ...ignoredStopColumns(rows),
    ...headColumns(batch),
  ];
}

function eventColumns({ events }: BatchRows): string[] {
  return [
    list(events, (row) => row.partition),
    list(events, (row) => row.sequence),
    list(events, (row) => row.version),
    list(events, (row) => row.epoch),
    list(events, (row) => row.at),
    list(events, (row) => row.type),
    list(events, (row) => row.scopeId),
    list(events, (row) => row.scopeKey),
    list(events, (row) => row.bytes.start + 1),
    list(events, (row) => row.bytes.length),
  ];
}

function scopeColumns(rows: BatchRows): string[] {
  const scopes = [...rows.scopes.values()];
  return [
    list(scopes, (row) => row.partition),
    list(scopes, (row) => row.scopeId),
    list(scopes, (row) => row.scopeKey),
    list(scopes, (row) => row.version),
    list(scopes, (row) => row.latest.revision),
    list(scopes, (row) => row.latest.status === 'ended'),
    list(scopes, (row) => row.latest.attributesDigest),
    list(scopes, (row) => row.latest.sessionId),
    list(scopes, (row) => row.json.start + 1),
    list(scopes, (row) => row.json.length),
  ];
}

function leaseColumns(rows: BatchRows): string[] {
  const leases = [...rows.leases.values()];
  const kept = leases.flatMap((row) => (row.timer ? [{ ...row, ...row.timer }] : []));
  const gone = leases.filter((row) => !row.timer);
  return [
    list(kept, (row) => row.partition),
    list(kept, (row) => row.sessionId),
    list(kept, (row) => row.epoch),
    list(kept, (row) => row.seconds),
    list(kept, (row) => row.renewable),
    list(kept, (row) => row.until),
    list(gone, (row) => row.partition),
    list(gone, (row) => row.sessionId),
  ];
}

function sessionColumns(rows: BatchRows): string[] {
  const sessions = [...rows.sessions.values()];
  return [
    list(sessions, (row) => row.partition),
    list(sessions, (row) => row.sessionId),
    list(sessions, (row) => row.scopeId),
    list(sessions, (row) => row.successorId),
    list(sessions, (row) => row.final && row.final.start + 1),
    list(sessions, (row) => row.final?.length),
  ];
}

function detailsColumns({ details }: BatchRows): string[] {
  return [
    list(details, (row) => row.partition),
    list(details, (row) => row.scopeId),
    list(details, (row) => row.digest),
    list(details, (row) => row.salt.toString('hex')),
    list(details, (row) => row.body.start + 1),
    list(details, (row) => row.body.length),
  ];
}

function receiptColumns({ receipts }: BatchRows): string[] {
  return [
    list(receipts, (row) => row.partition),
    list(receipts, (row) => row.scopeId),
    list(receipts, (row) => row.key),
    list(receipts, (row) => row.fingerprint),
    list(receipts, (row) => row.sequence),
    list(receipts, (row) => row.at),
  ];
}

function ignoredStopColumns(rows: BatchRows): string[] {
  const stops = [...rows.ignoredStops.values()];
  return [
    list(stops, (row) => row.partition),
    list(stops, (row) => row.scopeId),
    list(stops, (row) => row.sessionId),
    list(stops, (row) => row.stopId),
    list(stops, (row) => row.why),
    list(stops, (row) => row.sequence),
    list(stops, (row) => row.count),
  ];
}

function checkpointColumns({ checkpoints }: BatchRows): unknown[] {
  return [
    list(checkpoints, (row) => row.partition),
    list(checkpoints, (row) => row.scopeId),
    checkpoints.map((row) => row.label), // free text: the client quotes it
    list(checkpoints, (row) => row.sessionId),
    list(checkpoints, (row) => row.sequence),
    list(checkpoints, (row) => row.at),
  ];
}

/** The new right edge of each partition's tree, for two hashes an event. */
function headColumns({ rows, loaded, committed }: Batch): string[] {
  const leaves = new Map<number, Buffer[]>();
  for (const { partition, bytes } of committed) {
    const hashes = leaves.get(partition);
    if (hashes) hashes.push(leafHash(bytes));
    else leaves.set(partition, [leafHash(bytes)]);
  }
  const lastAt = new Map(rows.events.map((row) => [row.partition, row.at]));
  const heads = [...leaves].map(([partition, hashes]) => {
    const frontier = loaded.heads.get(partition)?.frontier.append(hashes);
    if (!frontier) throw new Error(`partition ${partition} was not locked`);
    return { partition, frontier, at: lastAt.get(partition) };
  });
  return [
    list(heads, (head) => head.partition),
    list(heads, (head) => head.frontier.size),
    list(heads, (head) => head.at),
    list(heads, (head) => head.frontier.toBytes().toString('hex')),
  ];
}
