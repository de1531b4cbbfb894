import { Frontier } from '#audit';
import type { StopIgnoredWhy } from '#session';
import type { Statements } from '../generated/statements.js';
import type { Loaded, NamedSession } from './loaded.js';

// What the rows of a batch's statements tell it.

type Row<Name extends keyof Statements> = Statements[Name]['row'];

/** `waited` only where it was waited for. */
export type LockedHeadRow = Row<'try_heads'> & { waited?: boolean };

export function learnHeads(loaded: Loaded, rows: readonly LockedHeadRow[]): void {
  for (const row of rows) {
    const frontier = Frontier.restore(row.sequence, row.frontier);
    loaded.heads.set(row.partition, { sequence: row.sequence, at: row.at, frontier });
    loaded.now = Math.max(loaded.now, row.now);
  }
}

/** `body`: the latest session's attributes; NULL: it has none, they were erased, or no answer shows them. */
export type StateRow = Row<'load_scopes'>;

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

export function learnSessions(loaded: Loaded, rows: readonly Row<'load_sessions'>[]): void {
  for (const row of rows) {
    const named: NamedSession = { scopeKey: row.scope_key };
    if (row.final) named.final = JSON.parse(row.final);
    if (row.successor_id) named.successorId = row.successor_id;
    if (row.successor) named.successor = JSON.parse(row.successor);
    loaded.sessions.set(row.session_id, named);
    loaded.scopeIds.set(row.scope_key, row.scope_id);
  }
}

export function learnReceipts(loaded: Loaded, rows: readonly Row<'load_receipts'>[]): void {
  for (const { key, scope_key, fingerprint, text } of rows) {
    append(loaded.receipts, key, { scopeKey: scope_key, fingerprint, document: () => text });
  }
}

export function learnIgnoredStops(loaded: Loaded, rows: readonly Row<'load_ignored_stops'>[]): void {
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
