import type { LedgerEvent, Owner, Session } from '#client';

/** An event, with what the service adds to those that it lists. */
export type SeenEvent = LedgerEvent & { ignoredstops?: number };

interface Carried {
  version: number;
  session?: Session;
  previous?: Session;
  sessionId?: string;
  origin?: Owner;
  by?: Owner;
  epoch?: number;
  why?: string;
  label?: string;
  reason?: string;
}
export const carried = (event: SeenEvent) => event.data as unknown as Carried;
/** `SessionStarted` of `session-ledger.SessionStarted.v1`. */
export const typeOf = (event: SeenEvent) => event.type.split('.')[1] ?? event.type;
