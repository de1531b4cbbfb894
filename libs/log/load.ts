import type pg from 'pg';
import type { Submission } from '#api';
import { Frontier } from '#audit';
import { begin, booleans, rollback, send, smallints, texts, uuids } from '#postgres';
import type { Draft, ScopeKey, ScopeState, Session, SessionId, StopIgnoredWhy } from '#session';
import { partitionOfSession } from '#session';
import type { Batch } from './batch.js';
import { ownStep } from './errors.js';
import { handleQueries } from './handle-queries.js';
import { BatchHandles } from './handles.js';
import { reportIdOf, scopeIdOf, stopIdOf } from './ids.js';
import { ancestorsQuery, checkpointsQuery, loadChains } from './load-chain.js';
import { loadReservations, type PutOff } from './load-reservations.js';
import { statement } from './statements.js';

const lockHeads = statement('lock_heads');
const loadScopes = statement('load_scopes');
const loadSessions = statement('load_sessions');
const loadReceipts = statement('load_receipts');
const lockDue = statement('lock_due');
const loadDetailed = statement('load_detailed');
const loadIgnoredStops = statement('load_ignored_stops');
const loadDetailsStatement = statement('load_details');

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
  /** Attributes' JSON by digest: of its scopes' latest sessions, where an answer is likely to show them. */
  attributes: Map<string, string>;
  /** The transaction, where a stop of the batch may be counted that was ignored before. */
  transaction: string | undefined;
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
  const answers = await send(
    client,
    ownStep(() => queriesOf(batch, partitions, scopeIds)),
  );
  const [, heads, scopes, sessions, receipts, ignored, detailed, ancestors, checkpoints, ...held] = answers;
  const states: StateRow[] = [...(scopes?.rows ?? []), ...(sessions?.rows ?? [])];
  const { due, now } = await lookForDue(client, states);
  const loaded = ownStep((): Loaded => {
    const named: Loaded = {
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
      attributes: new Map(),
      transaction: ignored?.rows[0]?.transaction,
      handles: new BatchHandles(held),
      detailed: new Set((detailed?.rows ?? []).map(({ scope_key }) => scope_key)),
    };
    learnHeads(named, heads?.rows ?? []);
    learnStates(named, states);
    learnSessions(named, sessions?.rows ?? []);
    learnReceipts(named, receipts?.rows ?? []);
    learnIgnoredStops(named, ignored?.rows ?? []);
    return named;
  });
  loaded.reserved = await loadReservations(client, loaded);
  if (ancestors || checkpoints) {
    await loadChains(client, loaded, ancestors?.rows ?? [], checkpoints?.rows ?? []);
  }
  return loaded;
}

function queriesOf(
  batch: readonly Submission[],
  partitions: readonly number[],
  scopeIds: Map<ScopeKey, string>,
) {
  return [
    begin,
    { ...lockHeads, values: [smallints(partitions)] },
    scopesQuery(batch, scopeIds),
    sessionsQuery(batch),
    receiptsQuery(batch),
    ignoredStopsQuery(batch),
    detailedQuery(batch),
    ancestorsQuery(batch),
    checkpointsQuery(batch),
    ...handleQueries(batch),
  ] as const;
}

interface HeadRow {
  partition: number;
  sequence: number;
  frontier: Buffer;
  at: number;
  now: number;
}

function learnHeads(loaded: Loaded, rows: readonly HeadRow[]): void {
  for (const row of rows) {
    const frontier = Frontier.restore(row.sequence, row.frontier);
    loaded.heads.set(row.partition, { sequence: row.sequence, at: row.at, frontier });
    loaded.now = Math.max(loaded.now, row.now);
  }
}

interface StateRow {
  scope_key: ScopeKey;
  version: number;
  latest: string;
  due: boolean | null;
  /** The latest session's attributes; NULL: it has none, they were erased, or no answer shows them. */
  body: string | null;
}

function learnStates(loaded: Loaded, rows: readonly StateRow[]): void {
  for (const { scope_key, version, latest, body } of rows) {
    let state = loaded.scopes.get(scope_key);
    if (!state) {
      state = { version, latest: JSON.parse(latest) };
      loaded.scopes.set(scope_key, state);
    }
    const digest = state.latest?.attributesDigest;
    // Also of a scope that is known by now: a command for it may not have asked for them.
    if (digest !== undefined && body !== null) loaded.attributes.set(digest, body);
  }
}

interface SessionRow {
  session_id: SessionId;
  scope_id: string;
  scope_key: ScopeKey;
  successor_id: SessionId | null;
  final: string | null;
  successor: string | null;
}

function learnSessions(loaded: Loaded, rows: readonly SessionRow[]): void {
  for (const row of rows) {
    const named: NamedSession = { scopeKey: row.scope_key };
    if (row.final) named.final = JSON.parse(row.final);
    if (row.successor_id) named.successorId = row.successor_id;
    if (row.successor) named.successor = JSON.parse(row.successor);
    loaded.sessions.set(row.session_id, named);
    loaded.scopeIds.set(row.scope_key, row.scope_id);
  }
}

interface ReceiptRow {
  key: string;
  scope_key: ScopeKey;
  fingerprint: string;
  text: string;
}

function learnReceipts(loaded: Loaded, rows: readonly ReceiptRow[]): void {
  for (const { key, scope_key, fingerprint, text } of rows) {
    append(loaded.receipts, key, { scopeKey: scope_key, fingerprint, document: () => text });
  }
}

interface IgnoredStopRow {
  stop_id: string;
  why: StopIgnoredWhy | 'transient';
}

function learnIgnoredStops(loaded: Loaded, rows: readonly IgnoredStopRow[]): void {
  for (const { stop_id, why } of rows) {
    if (why === 'transient') loaded.reported.add(stop_id);
    else append(loaded.ignored, stop_id, why);
  }
}

/**
 * Reads the details that the answers of a decided batch show and that were not loaded with it. Before it is saved: what
 * this batch erases is left out.
 */
export async function loadDetails(client: pg.Client, { unread, rows, loaded }: Batch): Promise<void> {
  const asked = [...unread];
  const values = [smallints(asked, ([, partition]) => partition), texts(asked, ([digest]) => digest)];
  const [found] = await send(client, [{ ...loadDetailsStatement, values }]);
  for (const { scope_id, digest, body } of found.rows) {
    if (!rows.erased.has(scope_id)) loaded.attributes.set(digest, body);
  }
}

/**
 * Looks again at the sessions whose time seemed to be over, with the leases of the batch locked. All of them,
 * and in order, because the batch may change any of them: who renews many leases at once locks them so, too.
 * `now` is read after the locks, so that nothing lapses before its end. Mostly nothing is due: no round trip.
 */
async function lookForDue(
  client: pg.Client,
  rows: readonly StateRow[],
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
  const shown = new Set<ScopeKey>();
  for (const { command, scopeKey, partition } of batch) {
    if (scopeKey === undefined) continue;
    if (!supersedes(command)) shown.add(scopeKey);
    if (scopeIds.has(scopeKey)) continue;
    scopeIds.set(scopeKey, scopeIdOf(scopeKey));
    partitions.push(partition);
  }
  if (partitions.length === 0) return undefined;
  const asked = booleans([...scopeIds.keys()], (key) => shown.has(key));
  return { ...loadScopes, values: [smallints(partitions), uuids([...scopeIds.values()]), asked] };
}

/** Its answer shows what it found only where it is refused: rarely enough for a read of its own, see `loadDetails`. */
function supersedes(command: Draft): boolean {
  return command.type === 'StartSession' && command.onConflict === 'supersede';
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

function detailedQuery(batch: readonly Submission[]) {
  const erased = batch.flatMap(({ command, scopeKey, partition }) =>
    command.type === 'EraseScope' && scopeKey ? [{ partition, scopeId: scopeIdOf(scopeKey) }] : [],
  );
  if (erased.length === 0) return undefined;
  const values = [smallints(erased, (one) => one.partition), uuids(erased, (one) => one.scopeId)];
  return { ...loadDetailed, values };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
