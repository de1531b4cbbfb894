import type { Position, SessionEvent } from '#session';

/** An event as it stands in the table. */
export interface LoggedEvent extends Position {
  scopeKey: string;
  commandId: string;
  at: string;
  event: SessionEvent;
  bytes: Buffer;
}

/** Everything that the ledger keeps and the rules need, read at the end of a run. */
export interface Log {
  /** By partition, in order. */
  partitions: readonly (readonly LoggedEvent[])[];
  /** Positions that answer an idempotency key, by the hash that the key is kept as. */
  receipts: ReadonlyMap<string, readonly Position[]>;
  /** Attributes' JSON by their digest. */
  details: ReadonlyMap<string, string>;
  /** How often stops were not obeyed, by the hash of session, origin and epoch, all reasons added. */
  ignoredStops: ReadonlyMap<string, number>;
}

/** Shows a place in the log. */
export function placeOf({ partition, sequence }: Position): string {
  return `${partition}:${sequence}`;
}
