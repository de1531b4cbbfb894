import { type Queryable, query } from '#postgres';
import type { ScopeKey } from '#session';
import { ask, LogError } from '../errors.js';
import { scopeIdOf } from '../ids.js';
import { statement } from '../statements.js';

const readArchives = statement('read_archives');
const findArchivedScope = statement('find_archived_scope');
const findBehindArchives = statement('find_behind_archives');

/** A file of a partition's events, as it was recorded. */
export interface Archive {
  partition: number;
  /** Sequences, both included. */
  first: number;
  last: number;
  /** Of the first and the last event. */
  firstAt: Date;
  lastAt: Date;
  archivedAt: Date;
  /** Of the file. */
  bytes: number;
  /** Its name, without a directory. */
  file: string;
  /** SHA-256 of the file. */
  checksum: Buffer;
}

/** The archives of a partition with something after a sequence, in order; at most `limit`, or all of them. */
export async function listArchives(
  reader: Queryable,
  partition: number,
  after = 0,
  limit?: number,
): Promise<Archive[]> {
  const { rows } = await query(reader, readArchives, [partition, after, limit]);
  return rows.map(({ first, last, file, bytes, checksum, ...row }) => {
    const times = { firstAt: row.first_at, lastAt: row.last_at, archivedAt: row.archived_at };
    return { partition, first, last, ...times, file, bytes, checksum };
  });
}

/** Where events of a partition went. */
export interface ArchivedFeed {
  partition: number;
  /** From here on the ledger itself has them. */
  firstSequence: number;
  /** The files to read before, in order: at most 100; after the last of them ask again. */
  files: { file: string; first: number; last: number }[];
}

/** Where events of a scope went. */
export interface ArchivedScope {
  /** From here on the ledger itself has them. */
  firstVersion: number;
}

/** What was asked for is in archives and no longer in the ledger itself. */
export class ArchivedError extends LogError {
  constructor(readonly where: ArchivedFeed | ArchivedScope) {
    super('archived', explain(where));
  }
}

function explain(where: ArchivedFeed | ArchivedScope): string {
  if ('firstVersion' in where) return `The scope's events before version ${where.firstVersion} are archived.`;
  const { partition, firstSequence, files } = where;
  const named = [...new Set([files[0], files.at(-1)])].map((one) => one?.file).join(' to ');
  return `The events of partition ${partition} before ${firstSequence} are archived: ${named}.`;
}

const MOST_FILES = 100;

/** Throws ArchivedError when the partition's next event after `after` is in an archive. */
export async function refuseArchived(reader: Queryable, partition: number, after: number): Promise<void> {
  const { rows } = await ask(reader, readArchives, [partition, after, MOST_FILES]);
  const newest = rows[0]?.newest;
  if (newest === undefined) return;
  const files = rows.map(({ file, first, last }) => ({ file, first, last }));
  throw new ArchivedError({ partition, firstSequence: newest + 1, files });
}

/** The same for places in many partitions at once, `afters[partition]`; throws for the first that it is true of. */
export async function refuseArchivedOf(reader: Queryable, afters: readonly number[]): Promise<void> {
  const { rows } = await ask(reader, findBehindArchives, [[...afters.keys()], afters]);
  if (rows[0]) await refuseArchived(reader, rows[0].partition, rows[0].after);
}

/** Throws ArchivedError when the scope's next event after a version is in an archive. */
export async function refuseArchivedScope(
  reader: Queryable,
  partition: number,
  scopeKey: ScopeKey,
  after: number,
): Promise<void> {
  const values = [partition, scopeIdOf(scopeKey), scopeKey, after] as const;
  const { rows } = await ask(reader, findArchivedScope, values);
  const { version = 0, next = null } = rows[0] ?? {};
  const first = next ?? version + 1;
  if (first > after + 1) throw new ArchivedError({ firstVersion: first });
}
