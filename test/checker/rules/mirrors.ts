import type { Log } from '../log.js';
import type { Violation } from '../violation.js';

/** What somebody else has of the log, as it came: by partition, sequence and bytes. */
export interface Mirror {
  name: string;
  /** Whether a number that was seen before may come again, with the same bytes; consumers drop it. */
  mayRepeat: boolean;
  partitions: readonly (readonly { sequence: number; bytes: Buffer }[])[];
}

/** A mirror has the table's events: the same bytes, dense, in order, to the end. */
export function mirrors({ partitions }: Log, { name, mayRepeat, partitions: copies }: Mirror): Violation[] {
  const violations: Violation[] = [];
  for (const [partition, events] of partitions.entries()) {
    let last = 0;
    const fault = (message: string) =>
      violations.push({
        rule: 'mirror',
        message: `${name}, partition ${partition}: ${message}`,
        operations: [],
      });
    for (const { sequence, bytes } of copies[partition] ?? []) {
      const stored = events[sequence - 1];
      if (!stored?.bytes.equals(bytes)) fault(`${sequence} has other bytes than the table`);
      if (sequence <= last && !mayRepeat) fault(`${sequence} comes again after ${last}`);
      if (sequence > last + 1) fault(`after ${last} comes ${sequence}`);
      last = Math.max(last, sequence);
    }
    if (last !== events.length) fault(`it ends at ${last}, the table at ${events.length}`);
  }
  return violations;
}
