import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import pg from 'pg';
import { freePort, localLedger } from '#dev-stack';
import { ask } from '../support/http.js';
import type { NodeProcess } from '../support/process.js';
import { environment, spawnService } from '../support/service.js';
import { cloudDev } from '../support/sessions.js';
import { within } from '../support/until.js';

const { becomes } = within(60_000);

jest.setTimeout(180_000);

// The service with a Postgres of its own, and what becomes of it when that dies or its disk is full.
const run = promisify(execFile);
const READY = /^Ledger on (http:\S+),/;

let directory: string;
let postgresPort: number;
let service: NodeProcess;

/** Starts the service on `directory`; resolves to its address. */
async function start(env: NodeJS.ProcessEnv = {}): Promise<string> {
  postgresPort = await freePort();
  service = spawnService(
    environment({
      databaseUrl: '',
      env: {
        ...{ DATABASE_URL: undefined, LEDGER_DATA_DIR: directory, POSTGRES_PORT: String(postgresPort) },
        ...env,
      },
    }),
  );
  return READY.exec(await service.waitForLine(READY, 90_000))?.[1] ?? '';
}

const cluster = () => join(directory, 'postgres', 'cluster');
async function killPostgres(): Promise<void> {
  process.kill(Number.parseInt(await readFile(join(cluster(), 'postmaster.pid'), 'utf8'), 10), 'SIGKILL');
}
const begin = (url: string, userId: string) =>
  ask(`${url}/v1/sessions`, { body: { userId, owner: cloudDev } });
const current = (url: string, userId: string) => ask(`${url}/v1/current?userId=${userId}`);
const readiness = async (url: string) => {
  const { status, body } = await ask<{ postgres: string }>(`${url}/health/ready`);
  return `${status} ${body.postgres}`;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded-'));
});
afterEach(async () => {
  await service.kill('SIGTERM');
  await rm(directory, { recursive: true, force: true });
});

describe('a Postgres that dies', () => {
  test('is started again, and the ledger goes on with what was there', async () => {
    const url = await start();
    expect((await begin(url, 'ada')).status).toBe(201);
    await killPostgres();
    await service.waitForLine(
      /^Postgres: ended unexpectedly \(signal SIGKILL\), see .*again in 0\.5 s \(attempt 1 of 10\)$/,
    );
    await service.waitForLine(/^Postgres: running again$/, 60_000);
    await becomes(() => readiness(url), '200 ok');
    expect((await current(url, 'ada')).status).toBe(200);
    expect((await begin(url, 'grace')).status).toBe(201);
    expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('and cannot be started any more ends the service with 69', async () => {
    await start({ LEDGER_RESTARTS: '2' });
    await rm(join(cluster(), 'global', 'pg_control'));
    await killPostgres();
    expect(await service.exited).toEqual({ code: 69, signal: null });
    expect(service.lines).toContainEqual(expect.stringMatching(/again in 1 s \(attempt 2 of 2\)$/));
    expect(service.errors.join('\n')).toMatch(
      /Postgres: did not come up: .*it is not started again after 2 attempts in a row$/m,
    );
  });

  test('ends it at once where no attempt is wanted', async () => {
    await start({ LEDGER_RESTARTS: '0' });
    await killPostgres();
    expect(await service.exited).toEqual({ code: 69, signal: null });
    expect(service.errors.join('\n')).toMatch(/^Postgres: ended unexpectedly .*it is not started again$/m);
  });
});

test('a copy of its data is a backup, when the service was stopped before', async () => {
  expect((await begin(await start(), 'ada')).status).toBe(201);
  expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const backup = await mkdtemp(join(tmpdir(), 'embedded-'));
  await run('cp', ['-a', `${directory}/.`, backup]);
  await rm(directory, { recursive: true });
  directory = backup;
  const url = await start();
  expect((await current(url, 'ada')).status).toBe(200);
  expect((await begin(url, 'grace')).status).toBe(201);
});

test('a signal while Postgres is starting: it is stopped again before the service ends', async () => {
  await start();
  await service.kill('SIGTERM');
  const starting = start();
  starting.catch(() => {}); // whether it gets ready before it ends is its own affair
  const pidFile = join(cluster(), 'postmaster.pid');
  const postmaster = async () => Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  let pid = Number.NaN;
  for (const end = performance.now() + 60_000; !(pid > 0) && performance.now() < end; await sleep(1))
    pid = await postmaster();
  expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const left = isRunning(pid);
  if (left) process.kill(pid, 'SIGKILL');
  expect(left).toBe(false);
  expect(service.errors).toEqual([]);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const mountable = await mounts();
const onADiskOfItsOwn = mountable ? describe : describe.skip;

onADiskOfItsOwn('a disk that is full', () => {
  beforeEach(() => run('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', directory]));
  afterEach(async () => {
    await service.kill('SIGTERM');
    await run('umount', [directory]);
  });

  /** Takes all of the space that is left, and gives back how to free it. */
  async function fill(): Promise<() => Promise<void>> {
    const path = join(directory, 'filling');
    const file = await open(path, 'w');
    for (const size of [1 << 20, 1 << 12]) {
      const bytes = Buffer.alloc(size);
      while (
        await file.write(bytes).then(
          ({ bytesWritten }) => bytesWritten === size,
          () => false,
        )
      ) {}
    }
    await file.close();
    return () => rm(path);
  }

  test('is seen by readiness before any command was refused, and so is its end', async () => {
    const url = await start();
    await becomes(() => readiness(url), '200 ok');
    const free = await fill();
    await becomes(() => readiness(url), '503 disk-full', 10_000);
    expect((await ask(`${url}/health/live`)).status).toBe(200);
    await free();
    await becomes(() => readiness(url), '200 ok', 10_000);
    expect((await begin(url, 'ada')).status).toBe(201);
  });

  test('and has ended Postgres: it runs again once there is space', async () => {
    const url = await start();
    expect((await begin(url, 'ada')).status).toBe(201);
    const free = await fill();
    const client = new pg.Client(localLedger(directory).databaseUrl);
    client.on('error', () => {});
    await client.connect();
    // The next file of 16 MB of the log finds no space.
    await client
      .query("select pg_logical_emit_message(true, 'full', repeat('x', 1000000)) from generate_series(1, 40)")
      .catch(() => {});
    await begin(url, 'grace').catch(() => {});
    await service.waitForLine(/^Postgres: ended unexpectedly \(exit code 1\)/, 30_000);
    await client.end().catch(() => {});
    expect(await readiness(url)).toBe('503 unavailable');
    await free();
    await service.waitForLine(/^Postgres: running again$/, 90_000);
    await becomes(() => readiness(url), '200 ok');
    expect((await current(url, 'ada')).status).toBe(200);
    expect((await begin(url, 'grace')).status).toBeLessThan(300);
  });
});

/** Whether we may mount, as root outside of most containers. */
async function mounts(): Promise<boolean> {
  const place = await mkdtemp(join(tmpdir(), 'mountable-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]);
    await run('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(place, { recursive: true });
  }
}
