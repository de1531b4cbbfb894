import type { Stats } from 'node:fs';
import {
  appendFile,
  chmod,
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import { freePort, type RunningPostgres, startPostgres } from '#dev-stack';
import { execute } from '../support/database.js';

/** A Postgres server of a test's own, which may be lost. Its login `ledger` may do everything. */
export interface Cluster {
  /** Of the database `ledger`. */
  url: string;
  port: number;
  /** What `pg_basebackup` leaves: a copy of the data that is consistent once the log of its time is read again. */
  baseBackup(): Promise<string>;
  /** Kill -9, and its disk is gone. */
  lose(): Promise<void>;
  /** A stop that a person asked for. */
  stop(): Promise<void>;
}

const folders: string[] = [];
const clusters = new Set<Cluster>();
afterAll(async () => {
  for (const cluster of clusters) await cluster.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'session-ledger-recovery-'));
  folders.push(folder);
  return folder;
}

/** A folder that every account may write to: Postgres runs as one of its own. */
export async function sharedFolder(): Promise<string> {
  const folder = await newFolder();
  await chmod(folder, 0o777);
  return folder;
}

/** Makes an empty one; `settings` are statements (`alter system …`) after which it is started again. */
export async function newCluster(settings: readonly string[] = []): Promise<Cluster> {
  const directory = await newFolder();
  const port = await freePort();
  const first = await started(directory, port);
  if (settings.length === 0) return first;
  for (const setting of settings) await execute(first.url, setting);
  await first.stop();
  return started(directory, port);
}

/** Starts one on a copy of a base backup, with more settings and an empty file of this name, as `recovery.signal`. */
export async function fromBackup(
  backup: string,
  signal: 'recovery.signal' | 'standby.signal',
  settings: readonly string[],
): Promise<Cluster> {
  const directory = await newFolder();
  await copyServer(backup, directory);
  await appendFile(join(directory, 'cluster', 'postgresql.auto.conf'), `${settings.join('\n')}\n`);
  await addFile(join(directory, 'cluster'), signal, '');
  return started(directory, await freePort());
}

async function started(directory: string, port: number): Promise<Cluster> {
  const postgres = await startPostgres({ dataDir: directory, port, superuser: true, log: () => undefined });
  const cluster: Cluster = {
    ...{ url: postgres.url, port },
    baseBackup: () => baseBackup(postgres, directory),
    async lose() {
      const [pid] = (await readFile(join(directory, 'cluster', 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGKILL');
      await cluster.stop();
      await rm(directory, { recursive: true, maxRetries: 3 });
    },
    async stop() {
      clusters.delete(cluster);
      await postgres.stop();
    },
  };
  clusters.add(cluster);
  return cluster;
}

/**
 * What `pg_basebackup` makes, by the functions of Postgres that are there for those who do without that program: npm's Postgres
 * has none. The files are copied while the server works on them.
 */
async function baseBackup({ url }: RunningPostgres, directory: string): Promise<string> {
  const backup = await newFolder();
  const client = new pg.Client(url);
  await client.connect(); // the backup lasts as long as its connection
  try {
    await client.query("select pg_backup_start('drill', true)");
    await copyServer(directory, backup);
    const { rows } = await client.query('select labelfile, spcmapfile from pg_backup_stop()');
    expect(rows[0].spcmapfile).toBe(''); // there are no tablespaces
    await addFile(join(backup, 'cluster'), 'backup_label', rows[0].labelfile);
  } finally {
    await client.end();
  }
  return backup;
}

/** What of a server's data is made anew at its start. Its log comes from the archive, or from the primary. */
const LEFT_OUT = ['postmaster.pid', 'postmaster.opts'];
const LEFT_EMPTY = [
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
];

async function copyServer(from: string, to: string): Promise<void> {
  await copyFile(join(from, 'password'), join(to, 'password'));
  await copyTree(join(from, 'cluster'), join(to, 'cluster'));
}

/** Copies a folder, owners included. A file that goes away meanwhile is one that the log makes, or removes, again. */
async function copyTree(from: string, to: string): Promise<void> {
  const owner = await stat(from);
  await mkdir(to, { mode: owner.mode });
  await chown(to, owner.uid, owner.gid);
  if (LEFT_EMPTY.includes(basename(from))) return;
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, copy);
    else if (!LEFT_OUT.includes(entry.name)) await copyOwned(source, copy, owner);
  }
}

async function copyOwned(from: string, to: string, { uid, gid }: Stats): Promise<void> {
  try {
    await copyFile(from, to);
    await chown(to, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Of the account that Postgres runs as, which may be another one than ours. */
async function addFile(folder: string, name: string, content: string): Promise<void> {
  const { uid, gid } = await stat(folder);
  await writeFile(join(folder, name), content);
  await chown(join(folder, name), uid, gid);
}
