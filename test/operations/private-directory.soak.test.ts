import { execFile, spawn } from 'node:child_process';
import { chmod, copyFile, cp, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import pg from 'pg';
import { freePort, localLedger } from '#dev-stack';
import { ask } from '../support/http.js';
import { type CommandBody, cloudDev } from '../support/sessions.js';

jest.setTimeout(180_000);

// The first command of a newcomer: a start from a clone that lies where other accounts may not go. As root, Postgres
// runs as one of those.
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const STARTED = /^Ledger on (http:\S+),/;

let home: string;
let clone: string;
let programs: string;

beforeAll(async () => {
  if (!isRoot) return;
  // Not TMPDIR: that may be private itself. Modes are set here, whatever the umask of the run.
  home = await mkdtemp('/tmp/session-ledger-home-'); // 0700
  clone = join(home, 'clone');
  programs = await mkdtemp('/tmp/session-ledger-programs-');
  await chmod(programs, 0o755);
  await mkdir(clone);
  for (const part of ['package.json', 'dist', 'node_modules'])
    await cp(join(root, part), join(clone, part), { recursive: true, verbatimSymlinks: true });
  await run('chmod', ['-R', 'go=u-w', clone]);
  await copyFile(process.execPath, join(home, 'node')); // ours may lie below /root
});
afterAll(async () => {
  if (!isRoot) return;
  await rm(home, { recursive: true });
  await rm(programs, { recursive: true });
});

interface Account {
  umask?: string;
  uid?: number;
  gid?: number;
}

interface Started {
  url: string;
  lines: string[];
  stop(): Promise<number>;
}

/** Starts the clone as `npm start` does, with an embedded Postgres and without Kafka. */
async function start({ umask = '022', ...account }: Account): Promise<Started> {
  const postgresPort = await freePort();
  const child = spawn(
    'sh',
    ['-c', `umask ${umask}; exec "$0" dist/apps/ledger/main.js`, join(home, 'node')],
    {
      ...account,
      cwd: clone,
      env: {
        ...{ HOME: home, PATH: process.env.PATH, PORT: '0', POSTGRES_PORT: String(postgresPort) },
        ...{ KAFKA_BROKERS: 'none', POSTGRES_CACHE_DIR: programs },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const lines: string[] = [];
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const url = STARTED.exec(line)?.[1];
      if (url) resolve(url);
    });
    ended.then((code) => reject(new Error(`it ended with ${code}:\n${lines.join('\n')}`)));
  });
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url, lines, stop };
}

/** Starts a session, stops the service, and finds the session after a second start, and a third. */
async function keepsItsData(account: Account): Promise<Started[]> {
  const first = await start(account);
  const began = await ask<CommandBody>(`${first.url}/v1/sessions`, {
    body: { userId: 'ada', owner: cloudDev },
  });
  expect(began.status).toBe(201);
  expect(await first.stop()).toBe(0);
  const second = await start(account);
  const current = await ask<CommandBody['session']>(`${second.url}/v1/current?userId=ada`);
  expect(current.body.sessionId).toBe(began.body.session.sessionId);
  expect(await second.stop()).toBe(0);
  return [first, second];
}

const aboutACopy = ({ lines }: Started) => lines.filter((line) => line.includes('copy'));
const asRoot = isRoot ? describe : describe.skip;

asRoot('a clone below a directory of mode 0700', () => {
  afterEach(() => rm(join(clone, '.data'), { recursive: true, force: true }));

  test('starts as root, keeps its data, and says in a line where the programs are', async () => {
    const [first, second] = (await keepsItsData({})) as [Started, Started];
    expect(aboutACopy(first)).toEqual([expect.stringContaining(programs)]);
    expect(aboutACopy(second)).toEqual([]);
    expect(await readdir(programs)).toEqual([expect.stringMatching(/^postgres-linux-\w+-[\d.]+/)]);
  });

  test('opens data that were made before its directory became private', async () => {
    await chmod(home, 0o755);
    const open = await start({});
    const began = await ask(`${open.url}/v1/sessions`, { body: { userId: 'grace', owner: cloudDev } });
    expect(began.status).toBe(201);
    await open.stop();
    await run('chmod', ['755', join(clone, '.data/postgres')]); // as earlier versions left it
    await chmod(home, 0o700);
    const closed = await start({});
    expect((await ask(`${closed.url}/v1/current?userId=grace`)).status).toBe(200);
    expect(await closed.stop()).toBe(0);
  });

  test('is not opened to Postgres: its login reads no file', async () => {
    const { stop } = await start({});
    const client = new pg.Client(localLedger(join(clone, '.data')).databaseUrl);
    await client.connect();
    for (const path of ['PG_VERSION', '/etc/shadow', '../../../package.json', '../owner.json'])
      await expect(client.query('select pg_read_file($1)', [path])).rejects.toMatchObject({ code: '42501' });
    await client.end();
    await stop();
  });

  test('a copy of the programs that a power cut left incomplete is made again', async () => {
    const [copy = ''] = await readdir(programs);
    const broken = join(programs, copy, 'share/postgresql/postgres.bki');
    await rm(broken);
    const { lines, stop } = await start({});
    expect(lines.join('\n')).toContain('copy');
    expect((await lstat(broken)).size).toBeGreaterThan(0);
    await stop();
  });

  test('starts as root where everything was made under umask 077', async () => {
    await chmod(home, 0o755);
    await run('chmod', ['-R', 'go=', clone]);
    await rm(programs, { recursive: true });
    await keepsItsData({ umask: '077' });
    expect((await lstat(programs)).mode & 0o777).toBe(0o755);
  });

  test('starts as an ordinary user in a home of its own, with no copy', async () => {
    const [uid, gid] = [65_534, 65_534];
    await run('chown', ['-R', `${uid}:${gid}`, home]);
    await chmod(home, 0o700);
    const started = await keepsItsData({ uid, gid });
    expect(started.flatMap(aboutACopy)).toEqual([]);
  });
});
