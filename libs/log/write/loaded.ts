import type { Frontier } from '#audit';
import type { Epoch, Instant, ScopeKey, ScopeState, Session, SessionId, StopIgnoredWhy } from '#session';
import type { Statements } from '../generated/statements.js';
import type { BatchHandles } from './handle-tables.js';

/** A head's row as it was locked. `waited` only where it was waited for. */
export type LockedHeadRow = Statements['try_heads']['row'] & { waited?: boolean };

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

/** Until when a reservation goes on, and under which epoch it was made. */
export interface PutOff {
  epoch: Epoch;
  until: Instant;
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

/** What `Loaded.checkpoints` knows a checkpoint by. */
export function checkpointKey(scopeKey: ScopeKey, label: string): string {
  return `${scopeKey} ${label}`;
}
