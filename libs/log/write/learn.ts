import { Frontier } from '#audit';
import type { ScopeKey, SessionId, StopIgnoredWhy } from '#session';
import type { Loaded, NamedSession } from './loaded.js';

// What the rows of a batch's statements tell it.

export interface LockedHeadRow {
  partition: number;
  sequence: number;
  frontier: Buffer;
  at: number;
  now: number;
  /** Only where it was waited for. */
  waited?: boolean;
}

export function learnHeads(loaded: Loaded, rows: readonly LockedHeadRow[]): void {
  for (const row of rows) {
    const frontier = Frontier.restore(row.sequence, row.frontier);
    loaded.heads.set(row.partition, { sequence: row.sequence, at: row.at, frontier });
    loaded.now = Math.max(loaded.now, row.now);
  }
}

export interface StateRow {
  scope_key: ScopeKey;
  version: number;
  latest: string;
  due: boolean | null;
  /** The latest session's attributes; NULL: it has none, they were erased, or no answer shows them. */
  body: string | null;
}

export function learnStates(loaded: Loaded, rows: readonly StateRow[]): void {
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

interface NamedSessionRow {
  session_id: SessionId;
  scope_id: string;
  scope_key: ScopeKey;
  successor_id: SessionId | null;
  final: string | null;
  successor: string | null;
}

export function learnSessions(loaded: Loaded, rows: readonly NamedSessionRow[]): void {
  for (const row of rows) {
    const named: NamedSession = { scopeKey: row.scope_key };
    if (row.final) named.final = JSON.parse(row.final);
    if (row.successor_id) named.successorId = row.successor_id;
    if (row.successor) named.successor = JSON.parse(row.successor);
    loaded.sessions.set(row.session_id, named);
    loaded.scopeIds.set(row.scope_key, row.scope_id);
  }
}

interface FoundReceiptRow {
  key: string;
  scope_key: ScopeKey;
  fingerprint: string;
  text: string;
}

export function learnReceipts(loaded: Loaded, rows: readonly FoundReceiptRow[]): void {
  for (const { key, scope_key, fingerprint, text } of rows) {
    append(loaded.receipts, key, { scopeKey: scope_key, fingerprint, document: () => text });
  }
}

interface CountedStopRow {
  stop_id: string;
  why: StopIgnoredWhy | 'transient';
}

export function learnIgnoredStops(loaded: Loaded, rows: readonly CountedStopRow[]): void {
  for (const { stop_id, why } of rows) {
    if (why === 'transient') loaded.reported.add(stop_id);
    else append(loaded.ignored, stop_id, why);
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
