import type pg from 'pg';
import type { Submission } from '#api';
import { Frontier } from '#audit';
import { ints, query, rollback, send, smallints, texts, timestamps, uuids } from '#postgres';
import {
  type Epoch,
  type Instant,
  isLapsed,
  partitionOfSession,
  type ScopeKey,
  type Session,
  type SessionId,
  type StopIgnoredWhy,
} from '#session';
import { ownStep } from '../errors.js';
import type { Statements } from '../generated/statements.js';
import { statement } from '../statements.js';
import type { Batch } from './batch.js';
import { BatchHandles } from './handle-tables.js';
import { queriesOf, sessionHandlesQuery } from './load-queries.js';
import { checkpointKey, type Loaded, type LockedHeadRow, type NamedSession, type PutOff } from './loaded.js';
import { type LockedHeads, takeHeads } from './locked-heads.js';

const lockDue = statement('lock_due');
const readReservations = statement('read_reservations');
const readDetails = statement('load_details');

type Row<Name extends keyof Statements> = Statements[Name]['row'];

/** `body`: the latest session's attributes; NULL: it has none, they were erased, or no answer shows them. */
type StateRow = Row<'load_scopes'>;

/**
 * Begins the transaction, locks the heads of the batch's partitions and reads what its commands need: one
 * round trip, since no statement waits for the answers before it. With `locked` both was done before. Undefined, and
 * nothing is locked: somebody else holds one of the heads.
 *
 * A handle of an idle scope elsewhere may be taken away only under the lock of that scope's partition; the locks go in
 * order, so it begins again with that one, too. Throws IdleHandlesHeld when that cannot be had in time.
 */
export async function load(
  client: pg.Client,
  batch: readonly Submission[],
  locked?: LockedHeads,
): Promise<Loaded | undefined> {
  const partitions = new Set(batch.map(({ partition }) => partition));
  let heads = locked;
  for (;;) {
    const loaded = await loadUnder(client, batch, heads ?? [...partitions]);
    const missing = loaded?.handles.idlePartitions.filter((partition) => !loaded.heads.has(partition)) ?? [];
    if (!loaded || missing.length === 0) return loaded;
    for (const partition of missing) partitions.add(partition); // each of them once, so this ends
    await send(client, [rollback]);
    heads = await takeHeads(client, { wait: [...partitions].sort((a, b) => a - b), attempt: [] });
    if (!heads)
      throw new IdleHandlesHeld(batch.filter(({ command }) => loaded.handles.isOfIdle(command, missing)));
  }
}

/** Commands that would take handles away from scopes without session, whose heads somebody else holds. */
export class IdleHandlesHeld extends Error {
  constructor(readonly commands: readonly Submission[]) {
    super('The head that a command needs for a handle is held.');
  }
}

/** Under heads that are locked already, or those of partitions, which it locks. */
async function loadUnder(
  client: pg.Client,
  batch: readonly Submission[],
  under: LockedHeads | readonly number[],
): Promise<Loaded | undefined> {
  const scopeIds = new Map<ScopeKey, string>();
  const [partitions, locked] = 'rows' in under ? [undefined, under.rows] : [under, undefined];
  const answers = await send(
    client,
    ownStep(() => queriesOf(batch, partitions, scopeIds)),
  );
  const [, first, scopes, sessions, receipts, ignored, detailed, ancestors, checkpoints, ...held] = answers;
  if (partitions && first.rows.length < partitions.length) {
    await send(client, [rollback]);
    return undefined;
  }
  const states: StateRow[] = [...(scopes?.rows ?? []), ...(sessions?.rows ?? [])];
  const { due, now } = await lookForDue(client, states);
  const loaded = ownStep((): Loaded => {
    const named: Loaded = {
      now: Math.max(now, first.rows[0]?.now ?? 0),
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
    // Without heads that were locked before, it was them that were asked for.
    learnHeads(named, locked ?? (first.rows as LockedHeadRow[]));
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

function learnHeads(loaded: Loaded, rows: readonly LockedHeadRow[]): void {
  for (const row of rows) {
    const frontier = Frontier.restore(row.sequence, row.frontier);
    loaded.heads.set(row.partition, { sequence: row.sequence, at: row.at, frontier });
    loaded.now = Math.max(loaded.now, row.now);
  }
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

function learnSessions(loaded: Loaded, rows: readonly Row<'load_sessions'>[]): void {
  for (const row of rows) {
    const named: NamedSession = { scopeKey: row.scope_key };
    if (row.final) named.final = JSON.parse(row.final);
    if (row.successor_id) named.successorId = row.successor_id;
    if (row.successor) named.successor = JSON.parse(row.successor);
    loaded.sessions.set(row.session_id, named);
    loaded.scopeIds.set(row.scope_key, row.scope_id);
  }
}

function learnReceipts(loaded: Loaded, rows: readonly Row<'load_receipts'>[]): void {
  for (const { key, scope_key, fingerprint, text } of rows) {
    append(loaded.receipts, key, { scopeKey: scope_key, fingerprint, document: () => text });
  }
}

function learnIgnoredStops(loaded: Loaded, rows: readonly Row<'load_ignored_stops'>[]): void {
  for (const { stop_id, why } of rows) {
    if (why === 'transient') loaded.reported.add(stop_id);
    else append(loaded.ignored, stop_id, why as StopIgnoredWhy);
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
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
  const locked = await query(client, lockDue, [smallints(ids, partitionOfSession), uuids(ids)]);
  let now = 0;
  for (const row of locked.rows) {
    if (row.over) due.add(leased.get(row.session_id) as ScopeKey);
    now = Math.max(now, row.now);
  }
  return { due, now };
}

/** How long a reservation is taken to be that was made before this was kept. */
const USUAL_SECONDS = 60;

/** Reservations whose end has come, and was put off by an outage. Mostly there is none to ask for: no round trip. */
async function loadReservations(
  client: pg.Client,
  { scopes, due, now }: Pick<Loaded, 'scopes' | 'due' | 'now'>,
): Promise<Map<ScopeKey, PutOff>> {
  const ended: { scopeKey: ScopeKey; epoch: Epoch; until: Instant; seconds: number }[] = [];
  for (const [scopeKey, { latest }] of scopes) {
    const until = latest?.reservedUntil;
    if (!latest || until === undefined || Date.parse(until) > now || due.has(scopeKey)) continue;
    ended.push({ scopeKey, epoch: latest.epoch, until, seconds: secondsOf(latest) });
  }
  const putOff = new Map<ScopeKey, PutOff>();
  if (ended.length === 0) return putOff;
  const values = [timestamps(ended, ({ until }) => until), ints(ended, ({ seconds }) => seconds)];
  const [{ rows }] = await send(client, [{ ...readReservations, values }]);
  for (const { number, until } of rows) {
    const one = ended[number - 1];
    if (one) putOff.set(one.scopeKey, { epoch: one.epoch, until });
  }
  return putOff;
}

/** What a lapse has reserved ends when the session does, by the time of its lease. */
function secondsOf(session: Session): number {
  const { reservedSeconds, lease } = session;
  return (isLapsed(session) ? lease?.seconds : reservedSeconds) ?? USUAL_SECONDS;
}

/** Takes over what was found of chains, and reads who has the handles of the sessions that may be gone back to. */
async function loadChains(
  client: pg.Client,
  loaded: Loaded,
  ancestors: readonly Row<'load_ancestors'>[],
  checkpoints: readonly Row<'load_checkpoints'>[],
): Promise<void> {
  for (const { scope_key, label, count, session_id } of checkpoints) {
    loaded.checkpointCounts.set(scope_key, count);
    if (session_id) loaded.checkpoints.set(checkpointKey(scope_key, label), session_id);
  }
  // Also past sessions that the batch itself makes checkpoints of.
  const continued = [...loaded.sessions.values()].flatMap(({ scopeKey, final }) =>
    final ? [{ scopeKey, session: final }] : [],
  );
  for (const { scope_key, session_id, final } of [...ancestors, ...checkpoints]) {
    const session: Session | undefined = final ? JSON.parse(final) : loaded.scopes.get(scope_key)?.latest;
    if (session) continued.push({ scopeKey: scope_key, session });
    if (!final || !session_id || loaded.sessions.has(session_id)) continue;
    loaded.sessions.set(session_id, { scopeKey: scope_key, final: session as Session });
  }
  const handles = sessionHandlesQuery(continued);
  if (!handles) return;
  const [found] = await send(client, [handles]);
  loaded.handles.learn(found);
}

/**
 * Reads the details that the answers of a decided batch show and that were not loaded with it. Before it is saved: what
 * this batch erases is left out.
 */
export async function loadDetails(client: pg.Client, { unread, rows, loaded }: Batch): Promise<void> {
  const asked = [...unread];
  const values = [smallints(asked, ([, partition]) => partition), texts(asked, ([digest]) => digest)];
  const [found] = await send(client, [{ ...readDetails, values }]);
  for (const { scope_id, digest, body } of found.rows) {
    if (!rows.erased.has(scope_id)) loaded.attributes.set(digest, body);
  }
}
