import { Frontier, leafHash } from '#audit';
import { bigints, byteas, type Queryable, query } from '#postgres';
import { missing } from './cut.js';
import { ArchiveError } from './errors.js';
import { type ArchivedEvent, type ArchiveHeader, fileName } from './format.js';
import type { RecordedFile } from './remove-events.js';
import { statement } from './statements.js';
import { type FileStage, writeArchive } from './write-archive.js';

const readSegment = statement('read_segment');
const recordArchive = statement('record_archive');

/** Events of one query. */
const PAGE = 2_000;
/** Leaf hashes of one row. */
const LEAVES = 1_024;

export interface Segment {
  header: ArchiveHeader;
  directory: string;
  /** The tree's right edge before the segment, as bytes. */
  frontier: Buffer;
  head: { sequence: number; frontier: Buffer };
  onRead(count: number): void;
  onStage(stage: FileStage | 'recorded'): void;
}

/** What became of it, with the tree's right edge after it. */
export interface ArchivedSegment {
  file: RecordedFile;
  fileBytes: number;
  eventBytes: number;
  frontier: Buffer;
}

/** Writes a segment's file and records it. What it throws leaves the table of events as it was. */
export async function archiveSegment(client: Queryable, segment: Segment): Promise<ArchivedSegment> {
  const { header, directory, onRead, onStage } = segment;
  const { partition, first, last } = header;
  const leaves: Buffer[] = [];
  let eventBytes = 0;
  const pages = async function* () {
    for (let from = first; from <= last; from += PAGE) {
      const events = await readEvents(client, partition, from, Math.min(last, from + PAGE - 1));
      for (const { leaf, bytes } of events) {
        leaves.push(leaf);
        eventBytes += bytes.length;
      }
      onRead(events.length);
      yield events;
    }
  };
  const seal = await writeArchive(directory, header, pages(), onStage);
  const before = Frontier.restore(first - 1, segment.frontier);
  const frontier = before.append(leaves).toBytes();
  checkTree(header, frontier, segment.head);
  const file = fileName(header);
  const rows = Array.from({ length: Math.ceil(leaves.length / LEAVES) }, (_, index) => index * LEAVES);
  const values = [
    ...([partition, first, last, file, seal.bytes, seal.checksum, frontier] as const),
    bigints(rows, (start) => first + start),
    byteas(rows, (start) => Buffer.concat(leaves.slice(start, start + LEAVES))),
  ] as const;
  await query(client, recordArchive, values);
  onStage('recorded');
  const { checksum, bytes: fileBytes } = seal;
  return { file: { partition, last, file, checksum }, fileBytes, eventBytes, frontier };
}

async function readEvents(
  client: Queryable,
  partition: number,
  first: number,
  last: number,
): Promise<ArchivedEvent[]> {
  const { rows } = await query(client, readSegment, [partition, first, last]);
  for (let index = 0; index <= last - first; index++) {
    if (rows[index]?.sequence !== first + index) throw missing(partition, first + index);
  }
  return rows.map(({ sequence, epoch, text }) => {
    const bytes = Buffer.from(text);
    return { partition, sequence, epoch, leaf: leafHash(bytes), bytes };
  });
}

/**
 * The subtrees that the head has in common with the tree up to the segment's end have to be the same. They are the
 * largest, and mostly most of it; whatever else differs is found by an audit, now or from the archive.
 */
function checkTree(
  { partition, last }: ArchiveHeader,
  frontier: Buffer,
  head: { sequence: number; frontier: Buffer },
): void {
  let common = 0;
  for (let size = 2 ** 52; size >= 1; size /= 2) {
    const has = Math.floor(last / size) % 2;
    if (has !== Math.floor(head.sequence / size) % 2) break;
    common += has * 32;
  }
  if (frontier.subarray(0, common).equals(head.frontier.subarray(0, common))) return;
  throw new ArchiveError(
    'log',
    `The events of partition ${partition} up to ${last} are not those of its tree: one was changed. Archive nothing: ` +
      'run an audit, and restore it.',
  );
}
