import { stopIdOf } from '../../../libs/log/ids.js';
import { fateOf, type Operation } from '../operation.js';
import type { Violation } from '../violation.js';
import type { Evidence } from './evidence.js';

/** Reasons for which a stop that was not obeyed is recorded and counted. */
const COUNTED: ReadonlySet<string> = new Set(['stale-session', 'session-ended', 'stale-epoch', 'not-owner']);

/** Each stop that was refused is counted once; one whose answer was lost at most once; nothing else is. */
export function stops({ operations, log }: Evidence): Violation[] {
  const asked = new Map<string, Operation[]>();
  for (const operation of operations) {
    const { stop, sessionId = '' } = operation.asked;
    if (!stop) continue;
    const id = stopIdOf(sessionId, stop.origin, stop.epoch);
    const attempts = asked.get(id);
    if (attempts) attempts.push(operation);
    else asked.set(id, [operation]);
  }
  const violations: Violation[] = [];
  for (const [id, attempts] of asked) {
    const refused = attempts.filter(({ answer }) => COUNTED.has(answer?.code ?? ''));
    const unknown = attempts.filter((one) => fateOf(one) === 'unknown');
    const count = log.ignoredStops.get(id) ?? 0;
    if (count >= refused.length && count <= refused.length + unknown.length) continue;
    const most = unknown.length > 0 ? ` to ${refused.length + unknown.length}` : '';
    const message = `stops that were refused: ${refused.length}${most}; counted: ${count}`;
    // What was told neither is the first suspect: a failure that was counted all the same.
    const others = attempts.filter((one) => !refused.includes(one) && !unknown.includes(one));
    violations.push({ rule: 'ignored stops', message, operations: [...others, ...unknown, ...refused] });
  }
  for (const [id, count] of log.ignoredStops) {
    if (asked.has(id)) continue;
    violations.push({
      rule: 'ignored stops',
      message: `${count} stops are counted that nobody sent`,
      operations: [],
    });
  }
  return violations;
}
