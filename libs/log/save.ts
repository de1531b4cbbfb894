import type pg from 'pg';
import { leafHash } from '#audit';
import type { Batch } from './batch.js';
import { together } from './load.js';
import type { BatchRows } from './rows.js';
import { list, statement } from './statements.js';

const appendEvents = statement('append_events');
const saveScopes = statement('save_scopes');
const saveVersions = statement('save_versions');
const saveSessions = statement('save_sessions');
const saveDetails = statement('save_details');
const saveReceipts = statement('save_receipts');
const countIgnoredStops = statement('count_ignored_stops');
const saveHeads = statement('save_heads');
const begin = { name: 'begin', text: 'begin' };
const lockHeads = statement('lock_heads');
const findEvent = statement('find_event');
const commit = { name: 'commit', text: 'commit' };
const rollback = { name: 'rollback', text: 'rollback' };

/**
 * Writes a decided batch and commits it: one round trip. Throws what Postgres answered; any other error
 * means that the connection was lost, and then nobody knows yet whether the batch was committed.
 */
export async function save(client: pg.Client, batch: Batch): Promise<void> {
  const { rows, bytes } = batch;
  const results = await together([
    writeEvents(client, rows, bytes),
    writeScopes(client, rows, bytes),
    writeVersions(client, rows),
    writeSessions(client, rows, bytes),
    writeDetails(client, rows),
    writeReceipts(client, rows),
    writeIgnoredStops(client, rows),
    writeHeads(client, batch),
    client.query(commit),
  ]);
  // COMMIT of a transaction that failed before answers ROLLBACK, not an error.
  if (results.at(-1)?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
}

/**
 * Whether a batch whose COMMIT was not answered stands in the log. Waits for the locks of its partitions,
 * so its transaction is over; its first event is there with the same bytes, or nothing of it is.
 */
export async function wasCommitted(client: pg.Client, { rows, bytes, loaded }: Batch): Promise<boolean> {
  const first = rows.events[0];
  if (!first) return false;
  const [, , found] = await together([
    client.query(begin),
    client.query({ ...lockHeads, values: [list([...loaded.heads.keys()])] }),
    client.query({ ...findEvent, values: [first.partition, first.sequence] }),
    client.query(rollback),
  ]);
  const wanted = bytes.subarray(first.bytes.start, first.bytes.start + first.bytes.length);
  return found?.rows[0] !== undefined && wanted.equals(found.rows[0].bytes);
}

function writeEvents(client: pg.Client, { events }: BatchRows, bytes: Buffer) {
  if (events.length === 0) return undefined;
  const values = [
    bytes,
    list(events.map((row) => row.partition)),
    list(events.map((row) => row.sequence)),
    list(events.map((row) => row.version)),
    list(events.map((row) => row.epoch)),
    list(events.map((row) => row.at)),
    list(events.map((row) => row.type)),
    list(events.map((row) => row.scopeId)),
    list(events.map((row) => row.scopeKey)),
    list(events.map((row) => row.bytes.start + 1)),
    list(events.map((row) => row.bytes.length)),
  ];
  return client.query({ ...appendEvents, values });
}

function writeScopes(client: pg.Client, rows: BatchRows, bytes: Buffer) {
  const scopes = [...rows.scopes.values()].filter((row) => row.latest);
  if (scopes.length === 0) return undefined;
  const values = [
    bytes,
    list(scopes.map((row) => row.partition)),
    list(scopes.map((row) => row.scopeId)),
    list(scopes.map((row) => row.scopeKey)),
    list(scopes.map((row) => row.state.version)),
    list(scopes.map((row) => row.state.latest?.revision)),
    list(scopes.map((row) => row.state.latest?.status === 'ended')),
    list(scopes.map((row) => row.state.latest?.attributesDigest)),
    list(scopes.map((row) => (row.latest?.start ?? 0) + 1)),
    list(scopes.map((row) => row.latest?.length)),
  ];
  return client.query({ ...saveScopes, values });
}

function writeVersions(client: pg.Client, rows: BatchRows) {
  const scopes = [...rows.scopes.values()].filter((row) => !row.latest);
  if (scopes.length === 0) return undefined;
  const values = [
    list(scopes.map((row) => row.partition)),
    list(scopes.map((row) => row.scopeId)),
    list(scopes.map((row) => row.state.version)),
  ];
  return client.query({ ...saveVersions, values });
}

function writeSessions(client: pg.Client, rows: BatchRows, bytes: Buffer) {
  const sessions = [...rows.sessions.values()];
  if (sessions.length === 0) return undefined;
  const values = [
    bytes,
    list(sessions.map((row) => row.partition)),
    list(sessions.map((row) => row.sessionId)),
    list(sessions.map((row) => row.scopeId)),
    list(sessions.map((row) => row.successorId)),
    list(sessions.map((row) => row.final && row.final.start + 1)),
    list(sessions.map((row) => row.final?.length)),
  ];
  return client.query({ ...saveSessions, values });
}

function writeDetails(client: pg.Client, { details }: BatchRows) {
  if (details.length === 0) return undefined;
  const values = [
    list(details.map((row) => row.partition)),
    list(details.map((row) => row.scopeId)),
    list(details.map((row) => row.digest)),
    details.map((row) => row.salt),
    details.map((row) => row.body),
  ];
  return client.query({ ...saveDetails, values });
}

function writeReceipts(client: pg.Client, { receipts }: BatchRows) {
  if (receipts.length === 0) return undefined;
  const values = [
    list(receipts.map((row) => row.partition)),
    list(receipts.map((row) => row.scopeId)),
    list(receipts.map((row) => row.key)),
    list(receipts.map((row) => row.fingerprint)),
    list(receipts.map((row) => row.sequence)),
    list(receipts.map((row) => row.at)),
  ];
  return client.query({ ...saveReceipts, values });
}

function writeIgnoredStops(client: pg.Client, rows: BatchRows) {
  const stops = [...rows.ignoredStops.values()];
  if (stops.length === 0) return undefined;
  const values = [
    list(stops.map((row) => row.partition)),
    list(stops.map((row) => row.scopeId)),
    list(stops.map((row) => row.stopId)),
    list(stops.map((row) => row.why)),
    list(stops.map((row) => row.sequence)),
    list(stops.map((row) => row.count)),
  ];
  return client.query({ ...countIgnoredStops, values });
}

/** The new right edge of each partition's tree, for two hashes an event. */
function writeHeads(client: pg.Client, { rows, loaded, committed }: Batch) {
  const leaves = new Map<number, Buffer[]>();
  for (const { partition, bytes } of committed) {
    const hashes = leaves.get(partition);
    if (hashes) hashes.push(leafHash(bytes));
    else leaves.set(partition, [leafHash(bytes)]);
  }
  if (leaves.size === 0) return undefined;
  const partitions = [...leaves.keys()];
  const heads = partitions.map((partition) => {
    const frontier = loaded.heads.get(partition)?.frontier.append(leaves.get(partition) ?? []);
    if (!frontier) throw new Error(`partition ${partition} was not locked`);
    return { partition, frontier };
  });
  const lastAt = new Map(rows.events.map((row) => [row.partition, row.at]));
  const values = [
    list(partitions),
    list(heads.map(({ frontier }) => frontier.size)),
    list(partitions.map((partition) => lastAt.get(partition))),
    heads.map(({ frontier }) => frontier.toBytes()),
  ];
  return client.query({ ...saveHeads, values });
}
