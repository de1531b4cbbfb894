import { join } from 'node:path';
import { type Archive, type FeedEvent, listArchives, readFeed } from '#log';
import { type Queryable, query } from '#postgres';
import { missing } from './cut.js';
import { ArchiveError } from './errors.js';
import type { ArchivedEvent } from './format.js';
import { checksumOf, readArchive } from './read-archive.js';
import { statement } from './statements.js';

const readTree = statement('read_tree');
const PAGE = 1_000;

/**
 * A partition's events after a sequence, each once and in order, at least up to where it ends now: from the table, and
 * what is no longer there from the archives in `directory`. An archiver may be at work. Throws ArchiveError `file` when a file is
 * missing or is not what was recorded, `log` when an event is nowhere, `directory` when one is needed and not given.
 */
export async function* replayFrom(
  directory: string | undefined,
  reader: Queryable,
  partition: number,
  after = 0,
): AsyncGenerator<FeedEvent> {
  const { rows: heads } = await query(reader, readTree, [partition]);
  const end: number = heads[0]?.sequence ?? 0;
  for (let last = after; last < end; ) {
    const events = await readFeed(reader, partition, last, PAGE);
    if (events[0]?.sequence === last + 1) {
      yield* events;
      last += events.length; // dense
      continue;
    }
    const [archive] = await listArchives(reader, partition, last, 1);
    if (!archive) throw missing(partition, last + 1);
    for await (const event of recordedEvents(directory, archive)) {
      if (event.sequence > last) yield asTheFeed(event);
    }
    last = archive.last;
  }
}

/**
 * The events of a recorded file, once it was found to be that one. Throws ArchiveError `file`, and `directory` when none
 * is given.
 */
export async function* recordedEvents(
  directory: string | undefined,
  { partition, last, file, checksum }: Archive,
): AsyncGenerator<ArchivedEvent> {
  if (directory === undefined) {
    throw new ArchiveError(
      'directory',
      `The events of partition ${partition} up to ${last} are archived, in files such as ${file}: ` +
        'say in which directory they are (--archives <dir>).',
    );
  }
  const path = join(directory, file);
  if (!(await checksumOf(path)).equals(checksum)) {
    throw new ArchiveError('file', `${path} is not the file that was recorded: restore it.`);
  }
  yield* readArchive(path);
}

function asTheFeed({ partition, sequence, epoch, bytes }: ArchivedEvent): FeedEvent {
  const { subject, type } = JSON.parse(bytes.toString()) as { subject: string; type: string };
  return { partition, sequence, scopeKey: subject, type: type.split('.')[1] ?? type, epoch, bytes };
}
