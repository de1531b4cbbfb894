import { outcomeOf, type Session } from '#session';
import { placeOf } from '../log.js';
import { fateOf, isCommand, type Operation, type Shown } from '../operation.js';
import { indexAt } from '../story.js';
import type { Violation } from '../violation.js';
import { type Evidence, WITHOUT_EVENT } from './evidence.js';

/** Who was told `obeyed` finds it in the log, at the position told, with the event and the session told. */
export function obeyed(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const operation of evidence.operations) {
    if (!isCommand(operation) || fateOf(operation) !== 'obeyed') continue;
    const message = untruth(operation, evidence);
    if (message) violations.push({ rule: 'obeyed', message, operations: [operation] });
  }
  return violations;
}

function untruth({ asked, answer }: Operation, evidence: Evidence): string | undefined {
  const { log, story } = evidence;
  const { position, outcome = '', session, current, replayed } = answer ?? {};
  if (!position || !session) return 'the answer says neither where nor what';
  const place = placeOf(position);
  const told = JSON.parse(session.json) as Session;
  if (session.attributes !== attributesOf(told, log.details))
    return `the attributes told are not those of the session at ${place}`;
  if (WITHOUT_EVENT.has(outcome)) {
    if (replayed) return `${outcome} left nothing that could be replayed`;
    const known = story.sessionAt(told.sessionId, position.sequence);
    if (JSON.stringify(known) !== session.json)
      return `at ${place} the log has another session than was told`;
  } else {
    const found = log.partitions[position.partition]?.[position.sequence - 1];
    if (!found) return `the log ends before ${place}`;
    if (outcomeOf(found.event) !== outcome) return `at ${place} stands ${found.event.type}, not ${outcome}`;
    if (!('session' in found.event) || JSON.stringify(found.event.session) !== session.json)
      return `the event at ${place} shows another session than was told`;
    if (!evidence.effects.of(asked).some((effect) => placeOf(effect) === place))
      return `the event at ${place} is not this command's`;
  }
  if (!current) return undefined;
  // Who asks again is told what is current by then, not what was at the position.
  if (replayed)
    return wasCurrent(current, evidence, told, position.sequence)
      ? undefined
      : `what was told to be current never was, from ${place} on`;
  return isCurrent(current, evidence, told, position.sequence)
    ? undefined
    : `what was told to be current was not, at ${place}`;
}

function isCurrent(current: Shown, { story }: Evidence, told: Session, sequence: number): boolean {
  const scopeKey = story.scopeOf(told.sessionId) ?? '';
  return JSON.stringify(story.currentAt(scopeKey, sequence)) === current.json;
}

/** Whether it was current at a position or later. */
function wasCurrent(current: Shown, { story }: Evidence, told: Session, sequence: number): boolean {
  const spans = story.spansOf(story.scopeOf(told.sessionId) ?? '');
  return spans
    .slice(Math.max(0, indexAt(spans, sequence)))
    .some(({ session }) => session?.status !== 'ended' && JSON.stringify(session) === current.json);
}

/** A session's attributes as an answer shows them. */
export function attributesOf({ attributesDigest }: Session, details: ReadonlyMap<string, string>): string {
  return attributesDigest === undefined ? '{}' : (details.get(attributesDigest) ?? '"erased"');
}
