import type { Decision, IgnoredPart } from '../decision.js';
import type { Untimed } from '../issued.js';
import type { Known } from '../known.js';
import type { Outcome } from '../outcome.js';
import { activate } from './activate-session.js';
import { changeAttributes } from './change-attributes.js';
import { changeHandles } from './change-handles.js';
import { claim } from './claim-ownership.js';
import { type EndSession, end } from './end-session.js';
import { type EraseScope, erase } from './erase-scope.js';
import { markCheckpoint } from './mark-checkpoint.js';
import { recordUsage } from './record-usage.js';
import { release } from './release-ownership.js';
import { renew } from './renew-lease.js';
import { type ReportInvalid, reportInvalid } from './report-invalid.js';
import { rotate } from './rotate-session.js';
import { settled } from './settle-session.js';
import { ignoredIn, type StartSession, start } from './start-session.js';
import { touch } from './touch-session.js';

export type { EndSession, ReportInvalid, StartSession };

/** How each command is decided, by its type. The union of commands is made from this table. */
const decisions = {
  StartSession: start,
  EraseScope: erase,
  ActivateSession: activate,
  RotateSession: rotate,
  ReleaseOwnership: release,
  ClaimOwnership: claim,
  EndSession: end,
  RenewLease: renew,
  TouchSession: touch,
  SettleSession: settled,
  ChangeAttributes: changeAttributes,
  ChangeHandles: changeHandles,
  RecordUsage: recordUsage,
  MarkCheckpoint: markCheckpoint,
  ReportInvalid: reportInvalid,
} as const;

/** All types, in the order of the table. */
export const COMMAND_TYPES = Object.keys(decisions) as (keyof typeof decisions)[];

export type Command = Parameters<(typeof decisions)[keyof typeof decisions]>[0];
/** `CommandOf<'EndSession'>`. */
export type CommandOf<Type extends Command['type']> = Extract<Command, { type: Type }>;

/** A command for a scope names no session. */
export type ScopeCommand = StartSession | EraseScope;
export type SessionCommand = Exclude<Command, ScopeCommand>;

/** A command before the log gives it its time. */
export type Draft = Untimed<Command>;

/** Decides a command on what is known, as if no time had passed since. */
export function decideNow(command: Command, known: Known): Decision {
  const decision = decisions[command.type] as (command: Command, known: Known) => Decision;
  return decision(command, known);
}

/** What a command asked for that the session it was answered with keeps as it was. */
export function ignoredBy(command: Draft, outcome: Outcome): { ignored?: readonly IgnoredPart[] } {
  return command.type === 'StartSession' ? ignoredIn(command, outcome) : {};
}
