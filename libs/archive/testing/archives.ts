import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerWriter } from '#log';
import type { TestLedger } from '../../log/testing/ledger.js';
import { newPlace, type Place, start } from '../../log/testing/submissions.js';
import { type ArchiveOptions, archive } from '../archive.js';

/** A directory of its own for archives. */
export async function archiveDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'ledger-archive-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Archives all but the newest event of each partition, however young, in small files and chunks. */
export function archiveAll(ledger: TestLedger, to: string, more: Partial<ArchiveOptions> = {}) {
  const { limits, ...options } = more;
  return archive({
    url: ledger.database.url,
    olderThan: 0,
    to,
    withoutRelay: true,
    limits: { leastAge: 0, segment: 40, chunk: 15, ...limits },
    ...options,
  });
}

/** A session after the other in a few scopes: `count` starts, two events each but for the first of a scope. */
export async function fill(writer: LedgerWriter, places: readonly Place[], count: number): Promise<void> {
  const starts = Array.from({ length: count }, (_, index) => start(places[index % places.length]!));
  await Promise.all(starts.map((one) => writer.submit(one)));
}

/** A few scopes in each partition. */
export function placesIn({ partitions }: TestLedger, each = 3): Place[] {
  return Array.from({ length: partitions * each }, (_, index) => newPlace(partitions, index % partitions));
}

/** The names of the files in a directory, in order. */
export async function filesIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).sort();
}
