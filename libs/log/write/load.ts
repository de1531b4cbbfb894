import type pg from 'pg';
import type { Submission } from '#api';
import { query, rollback, send, smallints, uuids } from '#postgres';
import { partitionOfSession, type ScopeKey, type Session, type SessionId } from '#session';
import { ownStep } from '../errors.js';
import { statement } from '../statements.js';
import { BatchHandles } from './handle-tables.js';
import {
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
