import type { Command, EraseScope, SettleSession } from './commands.js';
import { accept, type Decision } from './decision.js';
import { end } from './end-session.js';
import { erase } from './erase-scope.js';
import { evolve } from './evolve.js';
import { changeHandles } from './handles.js';
import type { Known } from './known.js';
import { markCheckpoint } from './mark-checkpoint.js';
import { activate, changeAttributes, claim, release, renew, touch } from './ownership.js';
import { recordUsage } from './record-usage.js';
import { reportInvalid } from './report-invalid.js';
import { rotate } from './rotate-session.js';
import type { Instant, ScopeState } from './session.js';
import { settle } from './settle.js';
import { start } from './start-session.js';
import { secondsBetween } from './timer.js';

/**
 * Decides one command, after what time has brought about by itself. Pure: the same command in the same state always gives the same answer. A command for
 * a session needs that session in `known`, as the latest or as `past`. The numbers are the rows of the table
 * of corners in docs/commands.md.
 */
export function decide(command: Command, known: Known): Decision {
  const due = known.due ? settle(known, command.at) : []; // 7, 8
  if (due.length === 0) return timed(decideNow(command, known), command.at);
  const decision = decideNow(command, { ...due.reduce(evolve, known), ...beside(known) });
  return timed({ ...decision, events: [...due, ...decision.events] }, command.at);
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

function decideNow(command: Command, known: Known): Decision {
  switch (command.type) {
    case 'StartSession':
      return start(command, known);
    case 'ActivateSession':
      return activate(command, known);
    case 'RotateSession':
      return rotate(command, known);
    case 'ReleaseOwnership':
      return release(command, known);
    case 'ClaimOwnership':
      return claim(command, known);
    case 'EndSession':
      return end(command, known);
    case 'RenewLease':
      return renew(command, known);
    case 'TouchSession':
      return touch(command, known);
    case 'SettleSession':
      return accept('settled', known.past ?? known.latest ?? missing(command));
    case 'ChangeAttributes':
      return changeAttributes(command, known);
    case 'ChangeHandles':
      return changeHandles(command, known);
    case 'EraseScope':
      return erase(command, known, known.latest ?? missing(command));
    case 'RecordUsage':
      return recordUsage(command, known);
    case 'MarkCheckpoint':
      return markCheckpoint(command, known);
    case 'ReportInvalid':
      return reportInvalid(command, known);
    default:
      return command satisfies never;
  }
}

/** What `known` knows besides the state: it stays true, but that time has been settled. */
function beside({ version: _, latest: __, due: ___, ...rest }: Known): Omit<Known, keyof ScopeState> {
  return rest;
}

function missing(command: SettleSession | EraseScope): never {
  throw new Error(`a ${command.type} came without its session`);
}
