import { type Command, decideNow } from './commands/index.js';
import type { Decision } from './decision.js';
import { evolve } from './events.js';
import type { Known } from './known.js';
import type { Instant, ScopeState } from './session.js';
import { settle } from './time/settle.js';
import { secondsBetween } from './time/timer.js';

/**
 * Decides one command, after what time has brought about by itself. Pure: the same command in the same state always gives the same answer. A command for
 * a session needs that session in `known`, as the latest or as `past`. The numbers are the rows of the table
 * of corners in docs/commands.md.
 */
export function decide(command: Command, known: Known): Decision {
  const due = known.due ? settle(known, command.at) : []; // 7, 8
  if (due.length === 0) return timed(decideNow(command, known), command.at);
  const decision = decideNow(command, { ...due.reduce(evolve, known), ...beside(known) });
  return timed({ ...decision, events: [...due, ...decision.events], settled: due.length }, command.at);
}

/** Says of a refusal that time alone takes away how long that lasts. */
function timed(decision: Decision, at: Instant): Decision {
  if (!('refusal' in decision)) return decision;
  const { refusal } = decision;
  const until = refusal.code === 'session-ending' ? refusal.current?.drainUntil : refusal.until;
  return until === undefined
    ? decision
    : { ...decision, refusal: { ...refusal, retryAfter: secondsBetween(at, until) } };
}

/** What `known` knows besides the state: it stays true, but that time has been settled. */
function beside({ version: _, latest: __, due: ___, ...rest }: Known): Omit<Known, keyof ScopeState> {
  return rest;
}
