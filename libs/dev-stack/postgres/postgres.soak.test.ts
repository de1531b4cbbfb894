import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '#waiting';
import { spawnNode } from '../../../test/support/process.js';
import { DevStackError, freePort, type RunningPostgres, startPostgres } from '../index.js';
import { commandLine } from '../processes.js';

const script = join(import.meta.dirname, '../../../test/support/run-stack.js');
let dataDir: string;
let port: number;
let log: string[];
let running: RunningPostgres | undefined;

const start = async () => {
  running = await startPostgres({ dataDir, port, superuser: true, log: (line) => log.push(line) });
  return running;
};
const startFails = () =>
  startPostgres({ dataDir, port, log: (line) => log.push(line) }).then(
    () => new Error('it started'),
    (error: unknown) => error as Error,
  );
const endedByItself = () => log.some((line) => line.includes('ended unexpectedly (signal SIGKILL)'));
const query = async (sql: string) => {
  const client = new pg.Client({ connectionString: running?.url ?? '', connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dev-stack-'));
  port = await freePort();
  log = [];
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

test('data survive a stop, a kill -9 of the server, and a kill -9 of its parent', async () => {
  await start();
  await query('CREATE TABLE seen (what text)');
  await query("INSERT INTO seen VALUES ('stop')");
  await running?.stop();

  await start();
  await query("INSERT INTO seen VALUES ('kill')");
  const [{ pid }] = await query(`SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`);
  process.kill(pid, 'SIGKILL');
  expect(await eventually(endedByItself, { withinMs: 5_000 })).toBe(true);
  await running?.stop();

  const parent = spawnNode(script, { args: ['postgres', dataDir, String(port)] });
  await parent.waitForLine(/^up$/, 30_000);
  await query("INSERT INTO seen VALUES ('orphan')");
  await parent.kill('SIGKILL');

  await start();
  expect(await query('SELECT what FROM seen')).toEqual([
    { what: 'stop' },
    { what: 'kill' },
    { what: 'orphan' },
  ]);
  expect(log).toContainEqual(
    expect.stringMatching(/stopped process \d+, which an earlier run had left behind/),
  );
});

test('a pid file that names a stranger is no obstacle, and the stranger lives', async () => {
  await start();
  await running?.stop();
  const stranger = spawnNode('-e', { args: ['setInterval(() => {}, 1000)'] });
  await writeFile(join(dataDir, 'cluster', 'postmaster.pid'), `${stranger.child.pid}\n`);
  await start();
  expect(await commandLine(stranger.child.pid as number)).not.toBe('');
});

test('Ctrl-C in the terminal reaches the service only, which then stops Postgres', async () => {
  const service = spawnNode(script, { args: ['postgres', dataDir, String(port)] });
  await service.waitForLine(/^up$/, 30_000);
  expect(await service.ctrlC()).toEqual({ code: 0, signal: null });
  expect(service.lines).toContain('answered after Ctrl-C');
  await start(); // the port is free again
});

test('a port in use is said with the variable that moves it', async () => {
  const other = createServer().listen(port, '127.0.0.1');
  const error = await startFails();
  expect(error).toBeInstanceOf(DevStackError);
  expect(error.message).toMatch(new RegExp(`port ${port} of 127.0.0.1 is in use.*POSTGRES_PORT`));
  await new Promise((closed) => other.close(closed));
});

test('a directory that a live process owns is left alone', async () => {
  const owner = spawnNode(script, { args: ['postgres', dataDir, String(port)] });
  await owner.waitForLine(/^up$/, 30_000);
  expect((await startFails()).message).toContain(`in use by process ${owner.child.pid}`);
  expect(await owner.ctrlC()).toEqual({ code: 0, signal: null });
});

test('who waits for a recovery is told why, once; who does not wait is not', async () => {
  const told = () => log.filter((line) => line.includes('still starting')).length;
  await start();
  await query("ALTER SYSTEM SET restore_command = 'sleep 3; false'"); // as long as a recovery from much log
  await running?.stop();
  expect(told()).toBe(0);
  await writeFile(join(dataDir, 'cluster', 'recovery.signal'), '');
  await start();
  expect(told()).toBe(1);
});

test('a directory that cannot be used is said, with the variable that moves it', async () => {
  await writeFile(join(dataDir, 'file'), '');
  dataDir = join(dataDir, 'file', 'below');
  const error = await startFails();
  dataDir = join(dataDir, '..', '..');
  expect(error).toBeInstanceOf(DevStackError);
  expect(error.message).toMatch(/^Postgres: cannot use its directory: ENOTDIR.*LEDGER_DATA_DIR$/);
});

test('data of another major version are refused and not touched', async () => {
  await mkdir(join(dataDir, 'cluster'));
  await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '15\n');
  const error = await startFails();
  expect(error).toBeInstanceOf(DevStackError);
  expect(error.message).toMatch(/are of Postgres 15, this is Postgres \d+: move them with pg_dump/);
  expect(await readdir(dataDir, { recursive: true })).toEqual(['cluster', 'cluster/PG_VERSION']);
});

test('the server is durable, deterministic and on loopback only', async () => {
  await start();
  const rows = await query(`SELECT name, setting FROM pg_settings WHERE name IN
    ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'listen_addresses') ORDER BY name`);
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    ...{ data_checksums: 'on', fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' },
    listen_addresses: '127.0.0.1',
  });
  const [order] = await query(`SELECT string_agg(c, '' ORDER BY c) AS c FROM unnest('{a,B,b,A}'::text[]) c`);
  expect(order.c).toBe('ABab');
});
