import { epochOf, evolve, noSessionYet, type ScopeState } from '#session';
import { placeOf } from '../log.js';
import { sessionsIn } from '../story.js';
import type { Violation } from '../violation.js';
import type { Evidence } from './evidence.js';

/** The log alone: dense, its time never goes back, each scope has at most one current session, epochs never fall. */
export function oneCurrent({ log }: Pick<Evidence, 'log'>): Violation[] {
  const violations: Violation[] = [];
  const fault = (message: string) => violations.push({ rule: 'log', message, operations: [] });
  for (const events of log.partitions) {
    const states = new Map<string, ScopeState>();
    const alive = new Map<string, Set<string>>();
    const over = new Set<string>();
    for (const [index, logged] of events.entries()) {
      const { scopeKey, event, sequence } = logged;
      const name = `${placeOf(logged)} ${event.type}`;
      if (sequence !== index + 1) fault(`${name} stands where ${index + 1} should`);
      if (logged.at < (events[index - 1]?.at ?? '')) fault(`${name} is earlier than the event before it`);
      const before = states.get(scopeKey) ?? noSessionYet;
      const state = evolve(before, event);
      states.set(scopeKey, state);
      const living = alive.get(scopeKey) ?? new Set();
      alive.set(scopeKey, living);
      for (const { sessionId, status } of sessionsIn(event)) {
        if (status === 'ended') {
          living.delete(sessionId);
          over.add(sessionId);
        } else if (over.has(sessionId)) fault(`${name} revives …${sessionId.slice(-4)}`);
        else living.add(sessionId);
      }
      if (living.size > 1) fault(`${name} leaves ${living.size} current sessions in ${scopeKey}`);
      if (epochOf(state) < epochOf(before))
        fault(`${name} lowers the epoch from ${epochOf(before)} to ${epochOf(state)}`);
    }
  }
  return violations;
}
