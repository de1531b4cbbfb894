import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ArchiveError } from './errors.js';
import {
  type ArchivedEvent,
  type ArchiveHeader,
  eventLine,
  fileName,
  headerLine,
  namesBefore,
  SEGMENT,
  trailerLine,
} from './format.js';
import { type ArchiveSeal, verifyArchive } from './read-archive.js';

/** Between the passes of one file, for tests that stop there. */
export type FileStage = 'written' | 'verified' | 'stored';

/** Throws ArchiveError `directory` unless it is there. It is never made: what was not mounted would be filled. */
export async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory()) return;
  const what = found ? 'is no directory' : 'does not exist';
  throw new ArchiveError('directory', `${directory} ${what}: make it, or mount it, and try again.`);
}

/**
 * Writes a file of a partition's events so that a crash leaves either nothing under its name or all of it: under
 * another name, read back and verified, then renamed, with both the file and the directory on the disk. A file that
 * is there already is kept when it holds the same events.
 * Throws ArchiveError `directory` when it cannot be written, `file` when another one has the name.
 */
export async function writeArchive(
  directory: string,
  header: ArchiveHeader,
  pages: AsyncIterable<readonly ArchivedEvent[]>,
  onStage: (stage: FileStage) => void,
): Promise<ArchiveSeal> {
  const path = join(directory, fileName(header));
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await onDisk(directory, () =>
      pipeline(
        Readable.from(linesOf(header, pages), { objectMode: true }),
        // Level 6, the usual one, takes twice the time for 4 % fewer bytes.
        createGzip({ level: 3, chunkSize: 1 << 17 }),
        createWriteStream(unfinished, { flags: 'wx', flush: true }),
      ),
    );
    onStage('written');
    const seal = await verifyArchive(unfinished);
    onStage('verified');
    const known = await sealOf(path);
    if (known && known.digest !== seal.digest) {
      throw new ArchiveError(
        'file',
        `${path} holds other events than this ledger. Is it the archive of a ledger that was restored to an ` +
          `earlier state? Keep it, and archive to another directory.`,
      );
    }
    if (!known) await onDisk(directory, () => rename(unfinished, path));
    await syncDirectory(directory);
    onStage('stored');
    return known ?? seal;
  } finally {
    await rm(unfinished, { force: true }).catch(() => {}); // it goes with the next run
  }
}

/** Removes what crashed archivers of this ledger left unfinished. Call it while being the only one. */
export async function removeUnfinished(directory: string, ledger: string): Promise<void> {
  const ours = new RegExp(`^${ledger.slice(0, 8)}-\\d{4}-\\d{16}-\\d{16}\\.ndjson\\.gz\\.[0-9a-f]{8}\\.tmp$`);
  await onDisk(directory, async () => {
    for (const file of await readdir(directory)) if (ours.test(file)) await rm(join(directory, file));
  });
}

/** Where a file ends that begins at `first` and was stored by an archiver that came no further. */
export async function storedUpTo(
  directory: string,
  ledger: string,
  partition: number,
  first: number,
): Promise<number | undefined> {
  const before = namesBefore(ledger, partition, first);
  const files = await onDisk(directory, () => readdir(directory));
  const file = files.find((name) => name.startsWith(before) && name.endsWith('.gz'));
  const last = Number(file?.slice(before.length, before.length + 16));
  return last >= first && last < first + SEGMENT ? last : undefined;
}

async function* linesOf(
  header: ArchiveHeader,
  pages: AsyncIterable<readonly ArchivedEvent[]>,
): AsyncGenerator<Buffer> {
  const digest = createHash('sha256');
  let events = 0;
  const hashed = (bytes: Buffer) => {
    digest.update(bytes);
    return bytes;
  };
  yield hashed(Buffer.from(headerLine(header)));
  for await (const page of pages) {
    events += page.length;
    yield hashed(Buffer.concat(page.flatMap(eventLine)));
  }
  yield Buffer.from(trailerLine({ events, digest: digest.digest('hex') }));
}

async function sealOf(path: string): Promise<ArchiveSeal | undefined> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere ? verifyArchive(path) : undefined;
}

/** So that the name is on the disk as the file is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Says of what the file system refuses where it was. */
async function onDisk<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause as NodeJS.ErrnoException).syscall) throw cause;
    const { message } = cause as Error;
    throw new ArchiveError('directory', `${directory} cannot be used (${message}).`, { cause });
  }
}
