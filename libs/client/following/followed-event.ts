import { EVENT_TYPES, type EventType, type LedgerEvent, type Session } from '../generated/api.js';

/** A session as events carry it: attributes may have to be forgotten, so there is only their digest. */
export type SessionInEvent = Omit<Session, 'attributes'>;

/** An event as a follower hands it on. */
export interface FollowedEvent {
  partition: number;
  /** 1, 2, 3 … within its partition. */
  sequence: number;
  /** `unknown`: of a newer ledger. `document.type` has its whole name. */
  type: EventType | 'unknown';
  /** The session as it is afterwards; absent for StopIgnored. */
  session?: SessionInEvent;
  /** For SessionRotated: the session that was rotated. */
  previous?: SessionInEvent;
  /** The event as it stands in the log. */
  document: LedgerEvent;
}

/** What came is no event of a ledger. */
export class BadEvent extends Error {
  override readonly name = 'BadEvent';
}

const known = new Map<string, EventType>(EVENT_TYPES.map((type) => [`session-ledger.${type}.v1`, type]));

/** Throws BadEvent for what is no event; one of an unknown type is one. */
export function parseEvent(json: string): FollowedEvent {
  let document: LedgerEvent;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    throw new BadEvent('an event is no JSON', { cause });
  }
  return toEvent(document);
}

/** The same, for an event that is parsed already. */
export function toEvent(document: LedgerEvent): FollowedEvent {
  const { partition, sequence, type, source } = document ?? {};
  const number = typeof sequence === 'string' ? Number(sequence) : Number.NaN;
  const isEvent =
    Number.isSafeInteger(number) && number > 0 && isCount(partition) && typeof source === 'string';
  if (!isEvent) throw new BadEvent('an event has no place in a log');
  const event: FollowedEvent = { partition, sequence: number, type: known.get(type) ?? 'unknown', document };
  const { session, previous } = document.data ?? {};
  // Also of an unknown type: whatever happened, an event carries the session as it is afterwards.
  if (isSession(session)) event.session = session;
  if (isSession(previous)) event.previous = previous;
  return event;
}

function isSession(value: unknown): value is SessionInEvent {
  const { sessionId, status, scope } = (value ?? {}) as Partial<SessionInEvent>;
  return typeof sessionId === 'string' && typeof status === 'string' && typeof scope?.userId === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
