import type pg from 'pg';
import { listArchives, readError, refuseRead, roleOf } from '#log';
import { openClient, type Queryable, query, rowOf } from '#postgres';
import { type CutOptions, cuts } from './cut.js';
import { ArchiveError } from './errors.js';
import { SEGMENT } from './format.js';
import { type RecordedFile, removeEvents } from './remove-events.js';
import { archiveSegment } from './segment.js';
import { statement } from './statements.js';
import { checkDirectory, type FileStage, removeUnfinished, storedUpTo } from './write-archive.js';

const lockArchiver = statement('lock_archiver');
const findFirstEvent = statement('find_first_event');
const readLedgerId = statement('read_ledger_id');

/** Receipts answer from events for 48 hours, and go with the end of a day. */
const LEAST_AGE = 3 * 86_400;

export interface ArchiveOptions extends CutOptions {
  url: string;
  /** The role to work as; the ledger's own archivist when left out. The login has to be its member. */
  role?: string;
  /** What is older goes: seconds, at least three days. */
  olderThan: number;
  /** The directory, which has to be there. The files of earlier runs have to stay until their events are deleted. */
  to: string;
  /** Called often, and before the next step is taken; must not throw. */
  onProgress?: ((progress: ArchiveProgress) => void) | undefined;
  /** Only for tests. */
  limits?: Partial<ArchiveLimits> | undefined;
}

interface ArchiveLimits {
  /** Seconds that `olderThan` is at least. */
  leastAge: number;
  /** Most events of a file, up to 100,000. */
  segment: number;
  /** Most events deleted in one transaction. */
  chunk: number;
}

/** How far a run has come: events of this run, over all partitions. */
export interface ArchiveProgress {
  /** `reading` the table, then of a file `written`, `verified`, `stored`, `recorded`; then `deleted`, by chunks. */
  stage: 'reading' | FileStage | 'recorded' | 'deleted';
  partition: number;
  /** Events read into files so far, and how many of them there are to be. */
  read: number;
  toRead: number;
  /** Events deleted so far; of earlier runs, too, that came no further. */
  deleted: number;
}

export interface ArchiveSummary {
  files: number;
  events: number;
  /** Of the events. */
  eventBytes: number;
  /** Of the files. */
  fileBytes: number;
  deleted: number;
}

/**
 * Moves what is old from the table of events to files: of each partition everything from its first event on, in
 * files of at most 100,000 events. A file is written, read back, verified and renamed; then it is recorded, with the
 * leaf hashes of its events, which stay; only then its events are deleted. Whatever ends it, the next run goes on
 * where it stopped. Throws ArchiveError, and LogError `unavailable` when the database goes away.
 */
export async function archive(options: ArchiveOptions): Promise<ArchiveSummary> {
  const limits: ArchiveLimits = { leastAge: LEAST_AGE, segment: SEGMENT, chunk: 10_000, ...options.limits };
  if (!(options.olderThan >= limits.leastAge)) {
    throw new ArchiveError(
      'age',
      'What is archived has to be older than three days: receipts answer from it.',
    );
  }
  await checkDirectory(options.to);
  const client = await connect(options);
  try {
    return await new Run(asking(client), options, limits).go();
  } finally {
    await client.end().catch(() => {}); // it was lost, and has thrown before
  }
}

/** One archiver's run, on the connection that holds its lock: a lost lock lets it do nothing more. */
class Run {
  private readonly summary: ArchiveSummary = { files: 0, events: 0, eventBytes: 0, fileBytes: 0, deleted: 0 };
  private toRead = 0;
  private read = 0;

  constructor(
    private readonly client: Queryable,
    private readonly options: ArchiveOptions,
    private readonly limits: ArchiveLimits,
  ) {}

  async go(): Promise<ArchiveSummary> {
    if (!rowOf(await query(this.client, lockArchiver)).locked) {
      throw new ArchiveError('busy', 'Another archiver works on this ledger: let it finish.');
    }
    const ledger = rowOf(await query(this.client, readLedgerId)).id;
    await removeUnfinished(this.options.to, ledger);
    const partitions = await cuts(this.client, this.options);
    this.toRead = partitions.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    for (const { partition, first, last, frontier, head } of partitions) {
      await this.removeLeft(partition);
      let edge = frontier;
      for (let from = first; from <= last; ) {
        const most = Math.min(last, from + this.limits.segment - 1);
        // A file that was stored but not recorded is made again: the same events under the same name.
        const stored = await storedUpTo(this.options.to, ledger, partition, from);
        const to = stored && stored <= last ? stored : most;
        const done = await archiveSegment(this.client, {
          header: { format: 'session-ledger.archive.v1', ledger, partition, first: from, last: to },
          directory: this.options.to,
          frontier: edge,
          head,
          onRead: (count) => this.tell('reading', partition, count),
          onStage: (stage) => this.tell(stage, partition),
        });
        this.summary.files += 1;
        this.summary.events += to - from + 1;
        this.summary.eventBytes += done.eventBytes;
        this.summary.fileBytes += done.fileBytes;
        await this.remove([done.file]);
        edge = done.frontier;
        from = to + 1;
      }
    }
    return this.summary;
  }

  /** Deletes what earlier runs recorded and did not come to delete. */
  private async removeLeft(partition: number): Promise<void> {
    const { first } = rowOf(await query(this.client, findFirstEvent, [partition]));
    if (first === null) return; // nothing was ever appended
    await this.remove(await listArchives(this.client, partition, first - 1));
  }

  /** Deletes the events of recorded files, as far as they are still there. */
  private async remove(archives: readonly RecordedFile[]): Promise<void> {
    for (const one of archives) {
      await removeEvents(this.client, this.options.to, one, this.limits.chunk, (count) => {
        this.summary.deleted += count;
        this.tell('deleted', one.partition);
      });
    }
  }

  private tell(stage: ArchiveProgress['stage'], partition: number, count = 0): void {
    this.read += count;
    const { read, toRead } = this;
    this.options.onProgress?.({ stage, partition, read, toRead, deleted: this.summary.deleted });
  }
}

/** Tells what fails as reads of the log do. */
function asking(client: pg.Client): Queryable {
  return {
    query: (query) => client.query(query).catch(refuseRead),
  };
}

async function connect({ url, role }: ArchiveOptions): Promise<pg.Client> {
  try {
    const own = role ?? (await roleOf({ url }, 'archivist'));
    return await openClient({ url, role: own, statementMs: 60_000 });
  } catch (cause) {
    if (!(cause as Error).message.includes('role')) throw readError(cause);
    throw new ArchiveError(
      'database',
      `${(cause as Error).message}: migrate the database, which makes the role, and grant it to the login.`,
      { cause },
    );
  }
}
