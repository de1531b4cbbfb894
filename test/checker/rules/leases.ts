import type { Session } from '#session';
import { placeOf } from '../log.js';
import { fateOf, type Operation } from '../operation.js';
import { sessionsIn } from '../story.js';
import type { Violation } from '../violation.js';
import type { Evidence } from './evidence.js';

/** A renewal that was answered with `until` holds until then. */
export function leases({ operations, log }: Evidence): Violation[] {
  const renewed = new Map<string, Operation>();
  for (const operation of operations) {
    const { asked, answer } = operation;
    if (asked.kind !== 'renew' || fateOf(operation) !== 'obeyed' || !answer?.until) continue;
    const term = termOf(asked.sessionId ?? '', Number(asked.body?.epoch));
    const latest = renewed.get(term)?.answer?.until ?? '';
    if (answer.until > latest) renewed.set(term, operation);
  }
  const violations: Violation[] = [];
  for (const events of log.partitions) {
    const sessions = new Map<string, Session>();
    for (const { event, at, ...position } of events) {
      if (event.type === 'OwnershipLapsed' || event.type === 'SessionExpired') {
        const { sessionId } = event.session;
        const operation = renewed.get(termOf(sessionId, sessions.get(sessionId)?.epoch ?? -1));
        if (operation && at < (operation.answer?.until ?? '')) {
          const message = `renewed until ${operation.answer?.until}, but at ${placeOf(position)} it lapsed at ${at}`;
          violations.push({ rule: 'leases', message, operations: [operation] });
        }
      }
      for (const session of sessionsIn(event)) sessions.set(session.sessionId, session);
    }
  }
  return violations;
}

/** A session under one owner. */
function termOf(sessionId: string, epoch: number): string {
  return `${sessionId} ${epoch}`;
}
