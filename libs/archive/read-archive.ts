import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { leafHash } from '#audit';
import { ArchiveError } from './errors.js';
import {
  type ArchivedEvent,
  type ArchiveHeader,
  type ArchiveTrailer,
  MOST_LINE_BYTES,
  parseEventLine,
  trailerLine,
} from './format.js';

/** What a whole file was found to be. */
export interface ArchiveSeal {
  header: ArchiveHeader;
  /** Of the uncompressed content: equal for equal events, whatever compressed them. */
  digest: string;
  /** SHA-256 of the file. */
  checksum: Buffer;
  /** Of the file. */
  bytes: number;
}

/**
 * The events of an archive, in order; once all were read, returns the file's seal. Every event's hash is
 * computed before it is given out, and the end tells whether anything is missing. Needs no database.
 * Throws ArchiveError `file` at the first line that is not as it was written, and says which.
 */
export async function* readArchive(path: string): AsyncGenerator<ArchivedEvent, ArchiveSeal> {
  const [file, digest] = [createHash('sha256'), createHash('sha256')];
  let [number, bytes] = [0, 0];
  let header: ArchiveHeader | undefined;
  let trailer: ArchiveTrailer | undefined;
  let next = 0;
  const fail = (why: string, cause?: unknown) => {
    const where = header && next <= header.last ? `line ${number}, sequence ${next}` : `line ${number}`;
    return new ArchiveError('file', `${basename(path)}, ${where}: ${why}`, { cause });
  };
  try {
    for await (const lines of linesOf(path, file, (length) => (bytes += length))) {
      for (const line of lines) {
        number += 1;
        if (trailer) throw fail('something comes after the end');
        if (!header) {
          header = parseHeader(line);
          if (!header) throw fail('this is no archive of a session ledger');
          next = header.first;
        } else if (next > header.last) {
          trailer = { events: next - header.first, digest: digest.copy().digest('hex') };
          if (`${line}\n` !== trailerLine(trailer))
            throw fail('the digest of the lines before is another one');
        } else {
          const event = parseEventLine(line);
          if (event?.sequence !== next) throw fail('this is not the next event');
          if (!leafHash(event.bytes).equals(event.leaf))
            throw fail('the event is not the one that was hashed');
          yield { partition: header.partition, ...event };
          next += 1;
        }
        digest.update(line).update('\n');
      }
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    number += 1; // the one that could not be read
    throw fail(`it cannot be read (${(error as Error).message})`, error);
  }
  if (!header || !trailer) throw fail('the file ends here, before its end');
  return { header, digest: trailer.digest, checksum: file.digest(), bytes };
}

/** Reads a whole archive, and throws what readArchive throws. */
export async function verifyArchive(path: string): Promise<ArchiveSeal> {
  const events = readArchive(path);
  for (;;) {
    const { done, value } = await events.next();
    if (done) return value;
  }
}

/** The SHA-256 of a file as it lies on the disk. Throws ArchiveError `file` when it cannot be read. */
export async function checksumOf(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (cause) {
    throw new ArchiveError('file', `${path} cannot be read (${(cause as Error).message}).`, { cause });
  }
  return hash.digest();
}

/** Complete lines, as many at a time as came together. What follows the last line break is an error. */
async function* linesOf(path: string, file: Hash, count: (length: number) => void): AsyncGenerator<Buffer[]> {
  const gunzip = createGunzip({ chunkSize: 1 << 17 });
  const source = createReadStream(path, { highWaterMark: 1 << 17 });
  source.on('error', (error) => gunzip.destroy(error));
  source.on('data', (chunk) => {
    file.update(chunk);
    count(chunk.length);
  });
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of source.pipe(gunzip)) {
      const text = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const lines: Buffer[] = [];
      let start = 0;
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, start)) {
        lines.push(text.subarray(start, end));
        start = end + 1;
      }
      rest = text.subarray(start);
      if (lines.length > 0) yield lines;
      if (rest.length > MOST_LINE_BYTES) throw new Error(`a line is over ${MOST_LINE_BYTES} bytes long`);
    }
    if (rest.length > 0) throw new Error('the last line has no end');
  } finally {
    source.destroy();
  }
}

function parseHeader(line: Buffer): ArchiveHeader | undefined {
  let header: Partial<ArchiveHeader>;
  try {
    header = JSON.parse(line.toString('utf8', 0, 1_000)) as Partial<ArchiveHeader>;
  } catch {
    return undefined;
  }
  const { format, ledger, partition, first, last } = header ?? {};
  const numbers = [partition, first, last].every((number) => Number.isSafeInteger(number));
  if (format !== 'session-ledger.archive.v1' || typeof ledger !== 'string' || !numbers) return undefined;
  return header as ArchiveHeader;
}
