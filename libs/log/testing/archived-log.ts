import { join } from 'node:path';
import { readArchive } from '#archive';
import { Frontier, leafHash } from '#audit';
import type { ScopeKey } from '#session';
import { decodeEvent } from '../index.js';
import { groupBy, type Reader, readLog, type StoredEvent } from './stored-log.js';

/** The log with its archived prefixes: from the files what is no longer in the table. */
export async function readWholeLog(reader: Reader, directory: string | undefined): Promise<StoredEvent[]> {
  const stored = await readLog(reader);
  if (directory === undefined) return stored;
  const firsts = new Map(stored.toReversed().map(({ partition, sequence }) => [partition, sequence]));
  const archived: StoredEvent[] = [];
  const { rows } = await reader.query('select file from ledger.archives order by partition, first');
  for (const { file } of rows) {
    for await (const { partition, sequence, epoch, bytes } of readArchive(join(directory, file))) {
      if (sequence < firsts.get(partition)!) archived.push(fromBytes(partition, sequence, epoch, bytes));
    }
  }
  const whole = [...archived, ...stored];
  return whole.sort((a, b) => a.partition - b.partition || a.sequence - b.sequence);
}

function fromBytes(partition: number, sequence: number, epoch: number, bytes: Buffer): StoredEvent {
  const text = bytes.toString('utf8');
  const document = JSON.parse(text);
  const { event, at } = decodeEvent(text);
  const version = document.data.version;
  const scopeKey = document.subject as ScopeKey;
  return { partition, sequence, version, epoch, at, type: event.type, scopeKey, bytes, document, event };
}

/** Archives are prefixes of their partitions, and the leaves and edges that stay are those of the log's events. */
export async function checkArchives(reader: Reader, log: StoredEvent[], broken: string[]): Promise<void> {
  const { rows: archives } = await reader.query('select * from ledger.archives order by partition, first');
  const { rows: leaves } = await reader.query(
    'select * from ledger.archived_leaves order by partition, first',
  );
  const events = groupBy(log, ({ partition }) => partition);
  for (const [partition, files] of groupBy(archives, (row) => row.partition as number)) {
    const hashes = (events.get(partition) ?? []).map(({ bytes }) => leafHash(bytes));
    let last = 0;
    for (const file of files) {
      if (file.first !== last + 1) broken.push(`${file.file} begins elsewhere`);
      last = file.last;
      const edge = Frontier.empty.append(hashes.slice(0, last)).toBytes();
      if (!edge.equals(file.frontier)) broken.push(`${file.file} has another tree`);
    }
    const kept = leaves.filter((row) => row.partition === partition).map((row) => row.hashes);
    if (!Buffer.concat(kept).equals(Buffer.concat(hashes.slice(0, last))))
      broken.push(`the leaves of partition ${partition} are not those of its archived events`);
  }
}
