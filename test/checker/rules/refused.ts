import type { Session } from '#session';
import { placeOf } from '../log.js';
import type { Operation } from '../operation.js';
import type { Violation } from '../violation.js';
import type { Evidence } from './evidence.js';

/** A refusal names the session that was current at its position, and has a reason that was true there. */
export function refused(evidence: Evidence): Violation[] {
  return evidence.operations.flatMap((operation) => {
    const message = untruth(operation, evidence);
    return message ? [{ rule: 'refused', message, operations: [operation] }] : [];
  });
}

function untruth({ asked, answer }: Operation, { story }: Evidence): string | undefined {
  const { code, position, current } = answer ?? {};
  if (!code || !position) return undefined;
  const place = placeOf(position);
  if ((answer?.status ?? 0) >= 500) return `it is told ${code}, but was decided as of ${place}`;
  if (position.sequence > story.lengthOf(position.partition)) return `the log ends before ${place}`;
  const scopeKey = asked.scopeKey ?? story.scopeOf(asked.sessionId ?? '') ?? '';
  const there = story.currentAt(scopeKey, position.sequence);
  if (current?.json !== (there && JSON.stringify(there)))
    return `it names another session as current than ${place} has`;
  return isTrue(code, asked, there) ? undefined : `${code} is not true as of ${place}`;
}

function isTrue(code: string, { sessionId, body }: Operation['asked'], there: Session | undefined): boolean {
  switch (code) {
    case 'stale-session':
      return there !== undefined && there.sessionId !== sessionId;
    case 'session-ended':
      return there === undefined;
    case 'session-active':
      return there !== undefined;
    case 'session-ending':
      return there?.status === 'ending';
    case 'stale-epoch':
      return Number(body?.epoch ?? body?.expectedEpoch) < (there?.epoch ?? Number.POSITIVE_INFINITY);
    case 'not-owner':
    case 'session-not-active':
    case 'reserved':
      return there !== undefined && (sessionId === undefined || there.sessionId === sessionId);
    default:
      return true;
  }
}
