import { OUTCOMES, type Outcome } from '#session';
import { Effects } from '../effects.js';
import type { Log } from '../log.js';
import { isCommand, type Operation } from '../operation.js';
import { Story } from '../story.js';

/** What all rules look at. Made once from a recorded history and the log; nothing changes it. */
export interface Evidence {
  operations: readonly Operation[];
  /** The attempts of each command, by its marker, in the order in which they were asked. */
  commands: ReadonlyMap<string, readonly Operation[]>;
  log: Log;
  story: Story;
  effects: Effects;
}

export function evidenceOf(operations: readonly Operation[], log: Log): Evidence {
  const commands = new Map<string, Operation[]>();
  for (const operation of [...operations].sort((one, other) => one.askedAt - other.askedAt)) {
    if (!isCommand(operation)) continue;
    const attempts = commands.get(operation.asked.marker);
    if (attempts) attempts.push(operation);
    else commands.set(operation.asked.marker, [operation]);
  }
  return { operations, commands, log, story: new Story(log), effects: new Effects(log) };
}

/** Outcomes of what was obeyed before, or is so already: nothing is added to the log. */
export const WITHOUT_EVENT: ReadonlySet<string> = new Set<Outcome>([
  'joined',
  'renewed',
  'unchanged',
  'already-ended',
  'already-rotated',
  'already-recovered',
]);

/** Whether an outcome says that an event was added. */
export function isEventful(outcome = ''): boolean {
  return OUTCOMES.some((one) => one === outcome) && !WITHOUT_EVENT.has(outcome);
}
