import type { Instant, Position, ScopeKey, ScopeState, SessionEvent } from '#session';

/** An event, with its document as the ledger's channels carry it. */
export interface StoredEvent extends Position {
  scopeKey: ScopeKey;
  version: number;
  at: Instant;
  event: SessionEvent;
  json: string;
  /** Of an ignored stop: how often it came. */
  count?: number;
}

/** Everything about one scope. */
export interface Scope {
  scopeKey: ScopeKey;
  partition: number;
  /** Its place among all scopes: 1, 2, 3 … */
  number: number;
  state: ScopeState;
  events: StoredEvent[];
  /** When the time of the current session is over. */
  due: Instant | undefined;
  /** Digests of all details that are kept for it. */
  details: Set<string>;
  /** Commands that were obeyed, by their key. */
  receipts: Map<string, { fingerprint: string; stored: StoredEvent }>;
}
