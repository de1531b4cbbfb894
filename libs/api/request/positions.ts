import type { AsOf, Instant, Position } from '#session';
import { ProblemError } from '../problems/problem-error.js';

/** A position as headers and queries carry it. */
export function positionText({ partition, sequence }: Position): string {
  return `${partition}:${sequence}`;
}

/** Throws `invalid-request` for a partition that the ledger does not have. */
export function checkedPartition(partition: number, partitions: number, place: string): number {
  if (partition < partitions) return partition;
  throw new ProblemError('invalid-request', `${place} has to be below ${partitions}`);
}

/** A position of the scope's own partition. Throws `invalid-request` for another one's. */
export function positionOf(text: string, partition: number, place: string): Position {
  const [, of, sequence] = /^(\d{1,4}):(\d{1,16})$/.exec(text) ?? [];
  const position = { partition: Number(of), sequence: Number(sequence) };
  if (of === undefined || !Number.isSafeInteger(position.sequence)) {
    throw new ProblemError('invalid-request', `${place} has to be a position, partition:sequence`);
  }
  if (position.partition !== partition) {
    throw new ProblemError(
      'invalid-request',
      `${place} is a position of partition ${position.partition}; this scope lives in partition ${partition}`,
    );
  }
  return position;
}

/** Of a position that the log has not come to: waiting for it would be in vain. */
export function noSuchPosition(place: string, position: Position): ProblemError {
  return new ProblemError(
    'invalid-request',
    `${place} is ahead of the log, which has no position ${positionText(position)}: it comes from another ledger, or this one was restored`,
  );
}

/** The past that a query asks for. Throws `invalid-request` for a day that no calendar has, or another partition. */
export function asOfQuery(text: string, partition: number): AsOf {
  if (/^\d{1,4}:\d+$/.test(text)) {
    return { sequence: positionOf(text, partition, 'query.asOf').sequence };
  }
  return { time: momentOf(text, 'query.asOf') };
}

/** A time, to the millisecond. Throws `invalid-request` for a day that no calendar has. */
export function momentOf(text: string, place: string): Instant {
  const time = new Date(text.toUpperCase());
  if (Number.isNaN(time.getTime()) || !isOnCalendar(text)) {
    throw new ProblemError('invalid-request', `${place} is not a valid time`);
  }
  const ms = Math.min(Math.max(time.getTime(), FIRST_MS), LAST_MS);
  return new Date(ms).toISOString();
}

/** Before any ledger, and after all of them: no calendar further out is the same in Postgres as in JavaScript. */
const FIRST_MS = 0;
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** JavaScript takes the 30th of February for the 2nd of March. */
function isOnCalendar(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10));
}
