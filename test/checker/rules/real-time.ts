import { placeOf } from '../log.js';
import { hashOfPage, isCommand, type Operation } from '../operation.js';
import type { Violation } from '../violation.js';
import { Ceilings } from './ceilings.js';
import { type Evidence, isEventful } from './evidence.js';
import { type Found, findRead, type Window, wrongSnapshot } from './reads.js';

/**
 * Positions respect real time: what was answered before something else of the partition was asked stands before it.
 * A read is the state at a position between what was known when it was asked and what can have been there when it was
 * answered; from then on that position is known, too, so that nothing ever goes back.
 */
export function realTime(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const ceilings = new Ceilings(evidence);
  const known: Known[] = evidence.log.partitions.map(() => ({ sequence: 0 }));
  const asWhenAsked = new Map<Operation, Known[]>();
  for (const { operation, isAnswer } of momentsOf(evidence.operations)) {
    if (!isAnswer) {
      asWhenAsked.set(operation, [...known]);
      continue;
    }
    const floors = asWhenAsked.get(operation) ?? [];
    asWhenAsked.delete(operation);
    const windowOf = (partition: number): Window => ({
      partition,
      floor: floors[partition]?.sequence ?? 0,
      ceiling: ceilings.of(partition, operation.answeredAt),
    });
    for (const { partition, found } of placesOf(operation, windowOf, evidence)) {
      if ('wrong' in found) {
        const by = floors[partition]?.by;
        violations.push({
          rule: isCommand(operation) ? 'order' : 'read',
          message: found.wrong,
          operations: by ? [operation, by] : [operation],
        });
      } else if (found.sequence > (known[partition]?.sequence ?? 0)) {
        known[partition] = { sequence: found.sequence, by: operation };
      }
    }
  }
  return violations;
}

/** How far a partition is known to have come, and by whose answer. */
interface Known {
  sequence: number;
  by?: Operation;
}

interface Moment {
  operation: Operation;
  time: number;
  isAnswer: boolean;
}

/** When operations were asked and answered, in order. Of the same moment, nothing came before anything. */
function momentsOf(operations: readonly Operation[]): Moment[] {
  const moments = operations
    .filter(({ answer }) => answer !== undefined)
    .flatMap((operation): Moment[] => [
      { operation, time: operation.askedAt, isAnswer: false },
      { operation, time: operation.answeredAt, isAnswer: true },
    ]);
  return moments.sort((one, other) => one.time - other.time || Number(one.isAnswer) - Number(other.isAnswer));
}

/** What an answer says of each partition that it says something of. */
function placesOf(
  operation: Operation,
  windowOf: (partition: number) => Window,
  evidence: Evidence,
): { partition: number; found: Found }[] {
  const { asked, answer } = operation;
  if (!answer) return [];
  if (answer.snapshot) {
    return answer.snapshot.map(({ position, sessions }) => {
      const { partition, sequence } = position;
      const wrong = wrongSnapshot(sequence, sessions, windowOf(partition), evidence);
      return { partition, found: wrong === undefined ? { sequence } : { wrong } };
    });
  }
  const partition = answer.position?.partition ?? asked.partition;
  if (partition === undefined) return [];
  const window = windowOf(partition);
  if (answer.position) return [{ partition, found: findCommand(operation, window, evidence) }];
  if (answer.page) return [{ partition, found: findPage(answer.page, window, evidence) }];
  const isRead = asked.kind === 'current' || asked.kind === 'session';
  if (!isRead || (answer.status >= 300 && answer.status !== 404)) return [];
  return [{ partition, found: findRead(operation, window, evidence) }];
}

function findCommand({ asked, answer }: Operation, window: Window, { effects }: Evidence): Found {
  const { position, outcome = '', replayed } = answer ?? {};
  const { partition, floor, ceiling } = window;
  if (!position) return { sequence: floor };
  if (replayed) return { sequence: position.sequence };
  const effect = effects.of(asked).find((one) => placeOf(one) === placeOf(position));
  const own = isEventful(outcome) ? effect : undefined;
  // What it has appended itself comes after all that was known; what it has only seen may be just that.
  if (own ? own.first <= floor : position.sequence < floor)
    return {
      wrong: `it is placed at ${placeOf(position)}, but ${partition}:${floor} was known before it was asked`,
    };
  if (position.sequence > ceiling)
    return {
      wrong: `it is placed at ${placeOf(position)}, but nobody had asked yet for what came after ${ceiling}`,
    };
  return { sequence: position.sequence };
}

/** A page of the feed has the log's own bytes, without a gap. It may lag behind what is known. */
function findPage(
  page: { after: number; count: number; hash: string },
  window: Window,
  { log }: Evidence,
): Found {
  const { partition, ceiling } = window;
  const last = page.after + page.count;
  if (page.count > 0 && last > ceiling)
    return { wrong: `it shows ${partition}:${last} before anybody asked for that` };
  const events = (log.partitions[partition] ?? []).slice(page.after, last);
  if (hashOfPage(events.map(({ bytes }) => bytes.toString())) !== page.hash)
    return { wrong: `its ${page.count} events after ${partition}:${page.after} are not those of the log` };
  return { sequence: page.count > 0 ? last : 0 };
}
