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

/** The event that an outcome stands for; an outcome that is not named here leaves none. */
export const EVENT_OF: Readonly<Record<string, string>> = {
  started: 'SessionStarted',
  activated: 'SessionActivated',
  rotated: 'SessionRotated',
  released: 'OwnershipReleased',
  claimed: 'OwnershipClaimed',
  ending: 'SessionEnding',
  ended: 'SessionEnded',
  changed: 'AttributesChanged',
};

/** Outcomes of what was obeyed before, or is so already: nothing is added to the log. */
export const WITHOUT_EVENT: ReadonlySet<string> = new Set([
  'joined',
  'unchanged',
  'already-ended',
  'already-rotated',
]);
