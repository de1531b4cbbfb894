import type { Effect } from '../effects.js';
import { placeOf } from '../log.js';
import { fateOf, type Operation } from '../operation.js';
import type { Violation } from '../violation.js';
import { type Evidence, isEventful } from './evidence.js';

/**
 * A command has at most one effect, however often it is sent; one that nobody was told of, or could not be told of,
 * has none; and whoever asks again with its key is told the same.
 */
export function once({ commands, effects }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const attempts of commands.values()) {
    const asked = attempts[0]?.asked;
    if (!asked) continue;
    const found = effects.of(asked);
    const receipts = effects.receiptsOf(asked).length;
    const fault = (rule: string, message: string, operations: readonly Operation[] = attempts) =>
      violations.push({ rule, message, operations });
    if (found.length > 1) fault('once', `it stands in the log at ${found.map(placeOf).join(' and ')}`);
    if (receipts > 1) fault('once', `its key has ${receipts} receipts`);
    if (asked.key !== undefined && found.length === 1 && receipts === 0)
      fault('once', `it stands at ${placeOf(found[0] as Effect)}, but its key has no receipt`);
    const effect = found[0];
    const explaining = attempts.filter((one) => mayHaveLeft(one));
    if (effect && explaining.length === 0)
      fault('not obeyed', `no attempt was obeyed or unknown, yet it stands at ${placeOf(effect)}`);
    if (attempts.filter((one) => hasEvent(one) && !one.answer?.replayed).length > 1)
      fault('once', 'two attempts were told that they were the first');
    for (const attempt of attempts) {
      const message = contradiction(attempt, attempts, effect);
      if (message) fault('asked again', message, withFirst(attempt, attempts));
    }
  }
  return violations;
}

function hasEvent(operation: Operation): boolean {
  return fateOf(operation) === 'obeyed' && isEventful(operation.answer?.outcome);
}

/** Whether an attempt can be what left the effect: it was the first to be obeyed, or its sender can't know. */
function mayHaveLeft(operation: Operation): boolean {
  return (hasEvent(operation) && !operation.answer?.replayed) || fateOf(operation) === 'unknown';
}

/** What an attempt was told that does not fit to what became of the command. */
function contradiction(
  attempt: Operation,
  attempts: readonly Operation[],
  effect: Effect | undefined,
): string | undefined {
  const { answer, askedAt, answeredAt } = attempt;
  if (!answer) return undefined;
  if (answer.replayed) {
    const before = attempts.some((one) => one !== attempt && mayHaveLeft(one) && one.askedAt <= answeredAt);
    if (!before)
      return `it is told to have been obeyed before, but each attempt before it was told otherwise`;
  }
  const first = attempts.find((one) => hasEvent(one) && one.answeredAt < askedAt);
  if (first && isFinal(attempt) && attempt.asked.key !== undefined) {
    if (!answer.replayed) return 'it had been obeyed before, and its key was not remembered';
    if (
      answer.position &&
      first.answer?.position &&
      placeOf(answer.position) !== placeOf(first.answer.position)
    )
      return 'asked again, it is told another position';
  }
  // Decided after its effect was in the log, an attempt has to find that.
  const { position, code } = answer;
  if (effect && position && code && attempt.asked.key && effect.sequence <= position.sequence)
    return `it is told ${code} as of ${placeOf(position)}, but it had been obeyed at ${placeOf(effect)}`;
  return undefined;
}

/** Whether the command was decided: what only failed on the way may be told anything again. */
function isFinal({ answer }: Operation): boolean {
  return answer !== undefined && answer.status < 500;
}

function withFirst(attempt: Operation, attempts: readonly Operation[]): Operation[] {
  return [attempt, ...attempts.filter((one) => one !== attempt)];
}
