import type pg from 'pg';
import { Frontier } from '#audit';
import { type Archive, listArchives, readError, readHeads } from '#log';
import { query, rowOf } from '#postgres';
import type { ScopeKey } from '#session';
import { ArchiveError } from './errors.js';
import { type LoggedEvent, PartitionFold } from './partition-fold.js';
import { recordedEvents } from './replay.js';
import { statement } from './statements.js';

const readTree = statement('read_tree');
const readLog = statement('read_log');
const readStates = statement('read_states');

const PAGE = 1_000;

/** What a partition's log holds, and what is wrong with it. */
export interface PartitionReport {
  partition: number;
  events: number;
  scopes: number;
  /** Scopes that have a current session. */
  current: number;
  /** Root of the tree over its events (RFC 6962), in hex. */
  root: string;
  /** Digest of the states that its events fold to, in hex. */
  state: string;
  faults: string[];
  /** How many faults there are beyond the first hundred. */
  moreFaults: number;
}

/** Hears how many of how many events have been looked at. */
export type OnProgress = (done: number, total: number) => void;

/**
 * Folds the whole log again, each partition as of one moment, and compares: numbers are dense, times never go
 * back, columns say what the bytes say, the tree is the head's, and each scope's state is what its events fold
 * to. What is archived is read from the directory `archives`. Reads only. Rejects with LogError `unavailable`, and
 * with ArchiveError when a file is not as it was recorded, or nobody said where the files are.
 */
export async function* verifyLog(
  pool: pg.Pool,
  onProgress: OnProgress = () => {},
  archives?: string,
): AsyncGenerator<PartitionReport> {
  let client: pg.PoolClient | undefined;
  let isWhole = false;
  try {
    client = await pool.connect();
    const heads = await readHeads(client);
    const total = heads.reduce((sum, { sequence }) => sum + sequence, 0);
    let done = 0;
    for (const { partition } of heads) {
      const onRead = (events: number) => {
        done += events;
        onProgress(done, total);
      };
      yield await verifyPartition(client, partition, onRead, archives);
    }
    isWhole = true;
  } catch (error) {
    throw error instanceof ArchiveError ? error : readError(error);
  } finally {
    client?.release(!isWhole);
  }
}

async function verifyPartition(
  client: pg.PoolClient,
  partition: number,
  onRead: (events: number) => void,
  archives: string | undefined,
): Promise<PartitionReport> {
  const fold = new PartitionFold();
  await beginAfterArchives(client, partition, fold, onRead, archives);
  const { sequence, frontier } = rowOf(await query(client, readTree, [partition]));
  await readEvents(client, partition, sequence, fold, onRead);
  if (!fold.tree.root().equals(Frontier.restore(sequence, frontier).root())) {
    fold.fault('the tree is not that of its head: events were changed, removed or reordered');
  }
  await compareStates(client, partition, fold);
  await client.query('commit');
  return {
    partition,
    events: fold.tree.size,
    scopes: fold.scopeCount,
    current: fold.currentCount,
    root: fold.tree.root().toString('hex'),
    state: fold.digest(),
    faults: fold.faults,
    moreFaults: fold.moreFaults,
  };
}

/**
 * Folds what is archived, and begins the transaction for the rest. Files are read before it, because Postgres ends
 * one that idles; an archiver that recorded more meanwhile makes it look once more.
 */
async function beginAfterArchives(
  client: pg.PoolClient,
  partition: number,
  fold: PartitionFold,
  onRead: (events: number) => void,
  directory: string | undefined,
): Promise<void> {
  for (;;) {
    await client.query('begin isolation level repeatable read read only');
    const archives = await listArchives(client, partition, fold.tree.size);
    if (archives.length === 0) return;
    await client.query('commit');
    for (const archive of archives) await foldArchive(directory, archive, fold, onRead);
  }
}

async function foldArchive(
  directory: string | undefined,
  archive: Archive,
  fold: PartitionFold,
  onRead: (events: number) => void,
): Promise<void> {
  let page: LoggedEvent[] = [];
  for await (const { sequence, bytes } of recordedEvents(directory, archive)) {
    page.push(loggedEvent(sequence, bytes));
    if (page.length < PAGE && sequence < archive.last) continue;
    fold.take(page);
    onRead(page.length);
    page = [];
  }
}

/** Of an event, what columns hold in the table. */
interface StoredDocument {
  subject: ScopeKey;
  type: string;
  time: string;
  data: { version: number };
}

/** An archive has no columns beside the bytes: there is nothing to differ from them. */
function loggedEvent(sequence: number, bytes: Buffer): LoggedEvent {
  const { subject, type, time, data } = JSON.parse(bytes.toString()) as StoredDocument;
  return {
    sequence,
    version: data.version,
    type: type.split('.')[1] ?? type,
    scope_key: subject,
    at: Date.parse(time),
    bytes,
  };
}

async function readEvents(
  client: pg.PoolClient,
  partition: number,
  head: number,
  fold: PartitionFold,
  onRead: (events: number) => void,
): Promise<void> {
  for (let after = fold.tree.size; after < head; after += PAGE) {
    const { rows } = await query(client, readLog, [partition, after, PAGE]);
    fold.take(rows);
    onRead(rows.length);
  }
  if (fold.tree.size !== head) fold.fault(`${fold.tree.size} events, where its head says ${head}`);
}

async function compareStates(client: pg.PoolClient, partition: number, fold: PartitionFold): Promise<void> {
  let count = 0;
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await query(client, readStates, [partition, after, PAGE]);
    for (const { scope_id, scope_key, version, latest } of rows) {
      if (!fold.agrees(scope_key, version, latest))
        fold.fault(`the state of scope ${scope_id} is not that of its events`);
    }
    count += rows.length;
    if (rows.length < PAGE) break;
    after = rows.at(-1)!.scope_id;
  }
  if (count !== fold.scopeCount)
    fold.fault(`${count} scopes are kept, where events tell of ${fold.scopeCount}`);
}
