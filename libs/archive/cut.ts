import { type Queryable, query, rowOf } from '#postgres';
import { ArchiveError } from './errors.js';
import { statement } from './statements.js';

const readArchivable = statement('read_archivable');
const readCutoff = statement('read_cutoff');
const isBefore = statement('is_before');

/** What of a partition may be archived now: the events from `first` to `last`, none when `last` is below it. */
export interface Cut {
  partition: number;
  first: number;
  last: number;
  /** The tree's right edge before `first`, as bytes. */
  frontier: Buffer;
  /** The partition's head: its last sequence and its tree's right edge. */
  head: { sequence: number; frontier: Buffer };
}

export interface CutOptions {
  /** Seconds. */
  olderThan: number;
  /** Archive although no relay has ever run on this ledger. */
  withoutRelay?: boolean | undefined;
  /** The last sequence that nothing else has still to read, a projector for one; undefined: no limit. */
  notAfter?: ((partition: number) => Promise<number | undefined>) | undefined;
}

/**
 * Where each partition is to be cut: before the first event that is not old enough, before its newest event,
 * which writers go on from, and before the last one that Kafka has confirmed, which a relay compares before it
 * goes on. Throws ArchiveError `not-relayed`.
 */
export async function cuts(client: Queryable, options: CutOptions): Promise<Cut[]> {
  const { rows: partitions } = await query(client, readArchivable);
  const relayed = partitions.some(({ epoch }) => epoch > 0);
  if (!relayed && !options.withoutRelay) {
    throw new ArchiveError(
      'not-relayed',
      'No relay has ever sent this ledger to Kafka, and none could send what is archived. Start one first, or ' +
        'say that the ledger does without Kafka (--without-relay).',
    );
  }
  const { cutoff } = rowOf(await query(client, readCutoff, [options.olderThan]));
  const found: Cut[] = [];
  for (const row of partitions) {
    const { partition, sequence, archived, frontier } = row;
    const confirmed = relayed ? row.confirmed - 1 : sequence;
    const limit = (await options.notAfter?.(partition)) ?? sequence;
    const most = Math.min(sequence - 1, confirmed, limit);
    const last = await lastBefore(client, { partition, after: archived, most, cutoff });
    const head = { sequence, frontier: row.head_frontier };
    found.push({ partition, first: archived + 1, last, frontier, head });
  }
  return found;
}

/** The last of the events `after + 1` to `most` that is before the cutoff, or `after`: by halving. */
async function lastBefore(
  client: Queryable,
  { partition, after, most, cutoff }: { partition: number; after: number; most: number; cutoff: string },
): Promise<number> {
  let [low, high] = [after, Math.max(after, most)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const { rows } = await query(client, isBefore, [partition, middle, cutoff]);
    if (!rows[0]) throw missing(partition, middle);
    if (rows[0].before) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** An event that no archive has and that is not in the table. */
export function missing(partition: number, sequence: number): ArchiveError {
  return new ArchiveError(
    'log',
    `Event ${sequence} of partition ${partition} is missing. Archive nothing: run an audit, and restore it.`,
  );
}
