import { join } from 'node:path';
import type { Archive } from '#log';
import { type Queryable, query, rowOf } from '#postgres';
import { rest } from '#waiting';
import { ArchiveError } from './errors.js';
import { checksumOf } from './read-archive.js';
import { statement } from './statements.js';

const findFirstEvent = statement('find_first_event');
const removeArchived = statement('remove_archived');

/** What deleting has to know of a recorded file. */
export type RecordedFile = Pick<Archive, 'partition' | 'last' | 'file' | 'checksum'>;

/** However slow a chunk was, in milliseconds. */
const LONGEST_REST = 5_000;

/**
 * Deletes the events of a recorded file, oldest first, once the file was found to be what was recorded. Rests after
 * each chunk for as long as it took, so that half of the time is everybody else's. Nothing to do: reads no file.
 * Throws ArchiveError `file` when the file is not there, or is another one.
 */
export async function removeEvents(
  client: Queryable,
  directory: string,
  { partition, last, file, checksum }: RecordedFile,
  chunk: number,
  onDeleted: (count: number) => void,
): Promise<void> {
  let { first } = rowOf(await query(client, findFirstEvent, [partition]));
  if (first === null || first > last) return;
  const path = join(directory, file);
  if (!(await checksumOf(path)).equals(checksum)) {
    throw new ArchiveError(
      'file',
      `${path} is not the file that was recorded. Its events stay in the table: restore it, and archive again.`,
    );
  }
  while (first <= last) {
    const began = performance.now();
    const end = Math.min(last, first + chunk - 1);
    const { rowCount } = await query(client, removeArchived, [partition, first, end]);
    onDeleted(rowCount ?? 0);
    first = end + 1;
    if (first <= last) await rest(Math.min(LONGEST_REST, performance.now() - began));
  }
}
