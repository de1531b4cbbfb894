import type { Submission } from '#api';
import { type Bound, begin, booleans, ints, type RowOf, smallints, texts, uuids } from '#postgres';
import {
  type Draft,
  type Handle,
  handlesIn,
  keysOf,
  MOST_SCOPE_HANDLES,
  MOST_STEPS_BACK,
  type NewHandle,
  newHandlesIn,
  type ScopeKey,
  type Session,
  type SessionId,
} from '#session';
import { reportIdOf, scopeIdOf, stopIdOf } from '../ids.js';
import { statement } from '../statements.js';
import { tryingFor } from './locked-heads.js';

const readClock = statement('read_clock');
const loadScopes = statement('load_scopes');
const loadSessions = statement('load_sessions');
const loadReceipts = statement('load_receipts');
const loadIgnoredStops = statement('load_ignored_stops');
const loadDetailed = statement('load_detailed');
const loadAncestors = statement('load_ancestors');
const loadCheckpoints = statement('load_checkpoints');
const reserveHandles = statement('reserve_handles');
const loadHandles = statement('load_handles');
const loadCalledHandles = statement('load_called_handles');
const loadSalts = statement('load_handle_salts');
const loadOldest = statement('load_oldest_handles');

type Asking<One> = Bound<RowOf<One>> | undefined;

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

/** What a recovery may go back to. Only for those who report a session invalid for good. */
function ancestorsQuery(batch: readonly Submission[]): Asking<typeof loadAncestors> {
  const named = new Map<SessionId, number>();
  for (const { command, partition } of batch) {
    if (command.type !== 'ReportInvalid' || command.certainty !== 'definite') continue;
    named.set(command.sessionId, partition);
  }
  if (named.size === 0) return undefined;
  return {
    ...loadAncestors,
    values: [smallints([...named.values()]), uuids([...named.keys()]), MOST_STEPS_BACK],
  };
}

/** A checkpoint that a command names: of its own scope, or of its session's. */
interface AskedCheckpoint {
  partition: number;
  label: string;
  scopeId?: string;
  sessionId?: SessionId;
}

/** Only for those who mark a checkpoint or start from one. */
function checkpointsQuery(batch: readonly Submission[]): Asking<typeof loadCheckpoints> {
  const asked: AskedCheckpoint[] = [];
  for (const { command, partition, scopeKey } of batch) {
    if (command.type === 'MarkCheckpoint') {
      const { sessionId, label } = command;
      asked.push({ partition, label, sessionId });
    } else if (command.type === 'StartSession' && command.fromCheckpoint !== undefined && scopeKey) {
      asked.push({ partition, label: command.fromCheckpoint, scopeId: scopeIdOf(scopeKey) });
    }
  }
  if (asked.length === 0) return undefined;
  const values = [
    smallints(asked, (one) => one.partition),
    uuids(asked, (one) => one.scopeId),
    uuids(asked, (one) => one.sessionId),
    texts(asked, (one) => one.label),
  ];
  return { ...loadCheckpoints, values };
}

type HandleQueries = readonly [
  reserved: Asking<typeof reserveHandles>,
  held: Asking<typeof loadHandles>,
  salts: Asking<typeof loadSalts>,
  oldest: Asking<typeof loadOldest>,
];
const NO_QUERIES: HandleQueries = [undefined, undefined, undefined, undefined];

/** Queries that reserve and read the handles of a batch, in this order; none when it names no handle. */
function handleQueries(batch: readonly Submission[]): HandleQueries {
  const bound = new Set<string>();
  const named = new Set<string>();
  const naming: Submission[] = [];
  for (const submission of batch) {
    const { command } = submission;
    for (const { hash } of newHandlesIn(command)) bound.add(hash);
    const handles = handlesIn(command);
    for (const { hash } of handles) named.add(hash);
    if (handles.length > 0) naming.push(submission);
  }
  if (named.size === 0) return NO_QUERIES;
  return [
    bound.size > 0 ? { ...reserveHandles, values: [texts([...bound])] } : undefined,
    { ...loadHandles, values: [texts([...named])] },
    { ...loadSalts, values: placesOf(naming) },
    oldestQuery(naming),
  ];
}

/** The handles of sessions that a command of the batch may go back to. */
export function sessionHandlesQuery(
  sessions: readonly { scopeKey: ScopeKey; session: Session }[],
): Asking<typeof loadCalledHandles> {
  const called = sessions.flatMap(({ scopeKey, session: { handles = none } }) =>
    handles.map(({ hash }) => ({ scopeId: scopeIdOf(scopeKey), hash })),
  );
  if (called.length === 0) return undefined;
  const values = [uuids(called, ({ scopeId }) => scopeId), texts(called, ({ hash }) => hash)];
  return { ...loadCalledHandles, values };
}

/** Partition, scope and session, as far as the commands say which. */
function placesOf(naming: readonly Submission[]): Buffer[] {
  return [
    smallints(naming, ({ partition }) => partition),
    uuids(naming, ({ scopeKey }) => scopeKey && scopeIdOf(scopeKey)),
    uuids(naming, ({ command }) => ('scope' in command ? undefined : command.sessionId)),
  ];
}

/** Of those scopes that get handles, so that the oldest may have to go. */
function oldestQuery(naming: readonly Submission[]): Asking<typeof loadOldest> {
  const binding = naming.filter(({ command }) => toScope(command) > 0);
  if (binding.length === 0) return undefined;
  const values = [...placesOf(binding), ints(binding, ({ command }) => toScope(command)), MOST_SCOPE_HANDLES];
  return { ...loadOldest, values };
}

/** How many handles a command binds to its scope. */
function toScope(command: Draft): number {
  return newHandlesIn(command).filter((handle) => (handle as NewHandle).binds === 'scope').length;
}

const none: readonly Handle[] = [];
