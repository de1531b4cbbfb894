import type pg from 'pg';
import type { Submission } from '#api';
import { query, rollback, send, smallints, uuids } from '#postgres';
import { partitionOfSession, type ScopeKey, type Session, type SessionId } from '#session';
import { ownStep } from '../errors.js';
import { statement } from '../statements.js';
import { BatchHandles } from './handle-tables.js';
import { type LockedHeads, takeHeads } from './heads.js';
import {
  type LockedHeadRow,
  learnHeads,
  learnIgnoredStops,
  learnReceipts,
  learnSessions,
  learnStates,
  type StateRow,
} from './learn.js';
import { loadChains } from './load-chain.js';
import { queriesOf } from './load-queries.js';
import { loadReservations } from './load-reservations.js';
import type { Loaded } from './loaded.js';

const lockDue = statement('lock_due');

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
