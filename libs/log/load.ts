import type pg from 'pg';
import { Frontier } from '#audit';
import type { ScopeKey, ScopeState, Session, SessionId, StopIgnoredWhy } from '#session';
import { smallints, uuids } from './columns.js';
import { handleQueries } from './handle-queries.js';
import { BatchHandles } from './handles.js';
import { partitionOfSession, reportIdOf, scopeIdOf, stopIdOf } from './ids.js';
import { ancestorsQuery, checkpointsQuery, loadChains } from './load-chain.js';
import { loadReservations, type PutOff } from './load-reservations.js';
import { begin, rollback, send } from './packet.js';
import { statement } from './statements.js';
import type { Submission } from './submission.js';

const lockHeads = statement('lock_heads');
const loadScopes = statement('load_scopes');
const loadSessions = statement('load_sessions');
const loadReceipts = statement('load_receipts');
const loadAttributes = statement('load_attributes');
const lockDue = statement('lock_due');
const loadDetailed = statement('load_detailed');
const loadIgnoredStops = statement('load_ignored_stops');

/** A partition's head as it was locked. */
export interface Head {
  sequence: number;
  /** Time of its last event, in milliseconds since 1970. */
  at: number;
  frontier: Frontier;
}

/** A session that a command names; with `final` it has ended. */
export interface NamedSession {
  scopeKey: ScopeKey;
  final?: Session;
  successorId?: SessionId;
  /** The successor's last state, when it has ended, too. */
  successor?: Session;
}

/** What an idempotency key did when it was used before. */
export interface Receipt {
  scopeKey: ScopeKey;
  fingerprint: string;
  /** The document of that command's last event: asked for only where the key is used again. */
  document(): string;
}

/** All that a batch has to know, read under the locks of its partitions. */
export interface Loaded {
  /** The database's clock after the last lock, in milliseconds since 1970. */
  now: number;
  heads: Map<number, Head>;
  scopes: Map<ScopeKey, ScopeState>;
  scopeIds: Map<ScopeKey, string>;
  /** Scopes whose current session's time is over; then the leases of all scopes are locked. */
  due: Set<ScopeKey>;
  /** Reservations that an outage has put off. */
  reserved: Map<ScopeKey, PutOff>;
  sessions: Map<SessionId, NamedSession>;
  receipts: Map<string, Receipt[]>;
  ignored: Map<string, StopIgnoredWhy[]>;
  /** Transient failures that were reported before, by `reportIdOf`. */
  reported: Set<string>;
  /** Session ids by scope and label, as `checkpointKey` makes it, of the checkpoints that the batch names. */
  checkpoints: Map<string, SessionId>;
  /** How many checkpoints a scope has, where the batch names any. */
  checkpointCounts: Map<ScopeKey, number>;
  /** Attributes' JSON by digest, where a command of the batch changes them. */
  attributes: Map<string, string>;
  handles: BatchHandles;
  /** Scopes that have details, where a command of the batch erases them. */
  detailed: Set<ScopeKey>;
}

/**
 * Begins the transaction, locks the heads of the batch's partitions and reads what its commands need: one
 * round trip, since no statement waits for the answers before it. A handle of an idle scope elsewhere may be taken
 * away only under the lock of that scope's partition; the locks go in order, so it begins again with that one, too.
 */
export async function load(client: pg.Client, batch: readonly Submission[]): Promise<Loaded> {
  const partitions = new Set(batch.map(({ partition }) => partition));
  for (;;) {
    const loaded = await loadUnder(client, batch, [...partitions]);
    const missing = loaded.handles.idlePartitions.filter((partition) => !partitions.has(partition));
    if (missing.length === 0) return loaded;
    for (const partition of missing) partitions.add(partition); // each of them once, so this ends
    await send(client, [rollback]);
  }
}

async function loadUnder(
  client: pg.Client,
  batch: readonly Submission[],
  partitions: readonly number[],
): Promise<Loaded> {
  const scopeIds = new Map<ScopeKey, string>();
  const handles = handleQueries(batch);
  const queries = [
    scopesQuery(batch, scopeIds),
    sessionsQuery(batch),
    receiptsQuery(batch),
    ignoredStopsQuery(batch),
    attributesQuery(batch),
    detailedQuery(batch),
    ancestorsQuery(batch),
    checkpointsQuery(batch),
  ];
  const answers = await send(client, [
    begin,
    { ...lockHeads, values: [smallints(partitions)] },
    ...queries,
    ...handles,
  ]);
  const [
    ,
    heads,
    scopes,
    sessions,
    receipts,
    ignored,
    attributes,
    detailed,
    ancestors,
    checkpoints,
    ...held
  ] = answers;
  const { due, now } = await lookForDue(client, [...(scopes?.rows ?? []), ...(sessions?.rows ?? [])]);
  const loaded: Loaded = {
    now,
    heads: new Map(),
    scopes: new Map(),
    scopeIds,
    due,
    reserved: new Map(),
    sessions: new Map(),
    receipts: new Map(),
    ignored: new Map(),
    reported: new Set(),
    checkpoints: new Map(),
    checkpointCounts: new Map(),
    attributes: new Map((attributes?.rows ?? []).map(({ digest, body }) => [digest, body])),
    handles: new BatchHandles(held),
    detailed: new Set((detailed?.rows ?? []).map(({ scope_key }) => scope_key)),
  };
  for (const row of heads!.rows) {
    const frontier = Frontier.restore(row.sequence, row.frontier);
    loaded.heads.set(row.partition, { sequence: row.sequence, at: row.at, frontier });
    loaded.now = Math.max(loaded.now, row.now);
  }
  for (const row of [...(scopes?.rows ?? []), ...(sessions?.rows ?? [])]) {
    if (!loaded.scopes.has(row.scope_key)) {
      loaded.scopes.set(row.scope_key, { version: row.version, latest: JSON.parse(row.latest) });
    }
  }
  for (const row of sessions?.rows ?? []) {
    loaded.sessions.set(row.session_id, namedSession(row));
    loaded.scopeIds.set(row.scope_key, row.scope_id);
  }
  for (const row of receipts?.rows ?? []) {
    append(loaded.receipts, row.key, {
      scopeKey: row.scope_key,
      fingerprint: row.fingerprint,
      document: () => row.text,
    });
  }
  for (const row of ignored?.rows ?? []) {
    if (row.why === 'transient') loaded.reported.add(row.stop_id);
    else append(loaded.ignored, row.stop_id, row.why);
  }
  loaded.reserved = await loadReservations(client, loaded);
  if (ancestors || checkpoints)
    await loadChains(client, loaded, ancestors?.rows ?? [], checkpoints?.rows ?? []);
  return loaded;
}

/**
 * Looks again at the sessions whose time seemed to be over, with the leases of the batch locked. All of them,
 * and in order, because the batch may change any of them: who renews many leases at once locks them so, too.
 * `now` is read after the locks, so that nothing lapses before its end. Mostly nothing is due: no round trip.
 */
async function lookForDue(
  client: pg.Client,
  rows: readonly { due: boolean | null; scope_key: ScopeKey; latest: string }[],
): Promise<{ due: Set<ScopeKey>; now: number }> {
  const due = new Set<ScopeKey>();
  if (!rows.some((row) => row.due)) return { due, now: 0 };
  const leased = new Map<SessionId, ScopeKey>();
  for (const { due: seems, scope_key, latest } of rows) {
    if (seems !== null) leased.set((JSON.parse(latest) as Session).sessionId, scope_key);
  }
  const ids = [...leased.keys()];
  const locked = await client.query({ ...lockDue, values: [smallints(ids, partitionOfSession), uuids(ids)] });
  let now = 0;
  for (const row of locked.rows) {
    if (row.over) due.add(leased.get(row.session_id) as ScopeKey);
    now = Math.max(now, row.now);
  }
  return { due, now };
}

function scopesQuery(batch: readonly Submission[], scopeIds: Map<ScopeKey, string>) {
  const partitions: number[] = [];
  for (const { scopeKey, partition } of batch) {
    if (scopeKey === undefined || scopeIds.has(scopeKey)) continue;
    scopeIds.set(scopeKey, scopeIdOf(scopeKey));
    partitions.push(partition);
  }
  if (partitions.length === 0) return undefined;
  return { ...loadScopes, values: [smallints(partitions), uuids([...scopeIds.values()])] };
}

function sessionsQuery(batch: readonly Submission[]) {
  const named = new Map<SessionId, number>();
  for (const { command, partition } of batch) {
    if (!('scope' in command)) named.set(command.sessionId, partition);
  }
  if (named.size === 0) return undefined;
  return { ...loadSessions, values: [smallints([...named.values()]), uuids([...named.keys()])] };
}

function receiptsQuery(batch: readonly Submission[]) {
  const keys = new Set<string>();
  for (const { receipt } of batch) if (receipt) keys.add(receipt.key);
  return keys.size === 0 ? undefined : { ...loadReceipts, values: [uuids([...keys])] };
}

function ignoredStopsQuery(batch: readonly Submission[]) {
  const stops = new Map<string, number>();
  for (const { command, partition } of batch) {
    if (command.type === 'EndSession') {
      stops.set(stopIdOf(command.sessionId, command.origin, command.epoch), partition);
    } else if (command.type === 'ReportInvalid' && command.certainty === 'transient') {
      stops.set(reportIdOf(command.sessionId, command.epoch, command.reason), partition);
    }
  }
  if (stops.size === 0) return undefined;
  return { ...loadIgnoredStops, values: [smallints([...stops.values()]), uuids([...stops.keys()])] };
}

function attributesQuery(batch: readonly Submission[]) {
  const patched = batch.flatMap(({ patch, command, partition }) =>
    patch && command.type === 'ChangeAttributes' ? [{ partition, sessionId: command.sessionId }] : [],
  );
  if (patched.length === 0) return undefined;
  const values = [smallints(patched, (one) => one.partition), uuids(patched, (one) => one.sessionId)];
  return { ...loadAttributes, values };
}

function detailedQuery(batch: readonly Submission[]) {
  const erased = batch.flatMap(({ command, scopeKey, partition }) =>
    command.type === 'EraseScope' && scopeKey ? [{ partition, scopeId: scopeIdOf(scopeKey) }] : [],
  );
  if (erased.length === 0) return undefined;
  const values = [smallints(erased, (one) => one.partition), uuids(erased, (one) => one.scopeId)];
  return { ...loadDetailed, values };
}

interface SessionRow {
  scope_key: ScopeKey;
  successor_id: SessionId | null;
  final: string | null;
  successor: string | null;
}

function namedSession(row: SessionRow): NamedSession {
  return {
    scopeKey: row.scope_key,
    ...(row.final && { final: JSON.parse(row.final) }),
    ...(row.successor_id && { successorId: row.successor_id }),
    ...(row.successor && { successor: JSON.parse(row.successor) }),
  };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
