import { type Answer, isSameRequest, type ReceiptKey } from '#api';
import { type Draft, ignoredBy, outcomeOf, type ScopeState, sinceThen } from '#session';
import { decodeEvent } from '../event-bytes.js';
import type { Receipt } from './loaded.js';

/** The answer of a command that was obeyed before, and what is current now; or that its key was used for something else. */
export function replay(receipt: Receipt, asked: ReceiptKey, command: Draft, now: ScopeState): Answer {
  if (!isSameRequest(receipt.fingerprint, asked)) return { kind: 'key-reused' };
  const { event, position } = decodeEvent(receipt.document());
  const outcome = outcomeOf(event);
  const isOfSession = 'session' in event || 'previous' in event;
  if (!outcome || !isOfSession) throw new Error(`a receipt names a ${event.type}`);
  const session = 'session' in event ? event.session : event.previous;
  const retry = 'retryAfter' in event && { retryAfter: event.retryAfter };
  const told = { outcome, session, ...retry, ...sinceThen(session, now), ...ignoredBy(command, outcome) };
  return { kind: 'accepted', ...told, position, replayed: true };
}
