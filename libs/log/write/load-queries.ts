import type { Submission } from '#api';
import { begin, booleans, smallints, texts, uuids } from '#postgres';
import { type Draft, keysOf, type ScopeKey, type SessionId } from '#session';
import { reportIdOf, scopeIdOf, stopIdOf } from '../ids.js';
import { statement } from '../statements.js';
import { handleQueries } from './handles/handle-queries.js';
import { ancestorsQuery, checkpointsQuery } from './load-chain.js';
import { tryingFor } from './locked-heads.js';

const readClock = statement('read_clock');
const loadScopes = statement('load_scopes');
const loadSessions = statement('load_sessions');
const loadReceipts = statement('load_receipts');
const loadIgnoredStops = statement('load_ignored_stops');
const loadDetailed = statement('load_detailed');

/**
 * What is asked under the locks of a batch's partitions, in this order; the ids of its scopes are put into `scopeIds`.
 * Without `partitions` the transaction has begun and holds the locks: then only the clock is read again.
 */
export function queriesOf(
  batch: readonly Submission[],
  partitions: readonly number[] | undefined,
  scopeIds: Map<ScopeKey, string>,
) {
  return [
    partitions && begin,
    partitions ? tryingFor(partitions) : readClock,
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
  const named = new Map<string, { sessionId: SessionId; partition: number; keys: string }>();
  for (const { command, partition, tenant } of batch) {
    if ('scope' in command) continue;
    const { sessionId } = command;
    const keys = keysBegin(tenant);
    named.set(`${sessionId} ${keys}`, { sessionId, partition, keys });
  }
  if (named.size === 0) return undefined;
  const all = [...named.values()];
  const values = [
    smallints(all, (one) => one.partition),
    uuids(all, (one) => one.sessionId),
    texts(all, (one) => one.keys),
  ];
  return { ...loadSessions, values };
}

/** What the keys of all scopes begin with that a submission may be about; undefined: the ledger itself submits it. */
function keysBegin(tenant: string | undefined): string {
  return tenant === undefined ? '' : keysOf(tenant);
}

function receiptsQuery(batch: readonly Submission[]) {
  // A key is made of its tenant: no two tenants have the same one.
  const keys = new Map<string, string>();
  for (const { receipt, tenant } of batch) if (receipt) keys.set(receipt.key, keysBegin(tenant));
  if (keys.size === 0) return undefined;
  return { ...loadReceipts, values: [uuids([...keys.keys()]), texts([...keys.values()])] };
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
