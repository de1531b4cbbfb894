import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SETTINGS } from '../../apps/ledger/config.js';
import { spawnNode } from '../support/process.js';
import { startProxy } from '../support/proxy.js';
import { environment, freshDatabase, main as serviceMain, spawnService } from '../support/service.js';

let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await freshDatabase();
});

/** Starts the service with these settings and gives its exit code and what it complained about. The database
 *  stays empty: what is refused makes no ledger. */
async function refusedWith(env: NodeJS.ProcessEnv) {
  const service = spawnService(environment({ databaseUrl, env }));
  const { code } = await service.exited;
  return { code, output: service.lines, complaint: service.errors };
}

test.each([
  ['--help', 0, /^session-ledger-server: starts Session Ledger\./],
  ['--version', 0, /^\d+\.\d+\.\d+/],
  ['--port=80', 1, /^The service takes no arguments: /],
])('asked with %s it starts nothing, and says how it is used', async (argument, exit, said) => {
  const asked = spawnNode(serviceMain, { args: [argument], env: environment({ databaseUrl }) });
  expect((await asked.exited).code).toBe(exit);
  expect([...asked.lines, ...asked.errors][0]).toMatch(said);
});

test('every fault of the configuration is told at once, a line each', async () => {
  const { code, output, complaint } = await refusedWith({
    PORT: 'eighty',
    DATABASE_URL: 'mysql://ledger:secret@localhost',
    KAFKA_BROKERS: 'localhost',
    LEDGER_PARTITIONS: '0',
    LEDGER_ROLES: 'api,cook',
    LEDGER_MIGRATE: 'perhaps',
  });
  expect(code).toBe(1);
  expect(output).toEqual([]);
  expect(complaint).toHaveLength(6);
  expect(complaint.join('\n')).toContain('"mysql://ledger:…@localhost"');
  for (const name of ['PORT', 'DATABASE_URL', 'KAFKA_BROKERS', 'LEDGER_PARTITIONS', 'LEDGER_ROLES']) {
    expect(complaint.join('\n')).toMatch(new RegExp(`^${name}: .*, but it is "`, 'm'));
  }
});

test.each(['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.example.org'])(
  'without access control it does not listen on %s',
  async (HOST) => {
    const { code, complaint } = await refusedWith({ HOST, LEDGER_ACCESS: 'off' });
    expect([code, complaint.length]).toEqual([1, 1]);
    expect(complaint[0]).toMatch(/^HOST: .*loopback only.*LEDGER_WITHOUT_ACCESS_CONTROL=listen-everywhere/);
  },
);

test('elsewhere than on loopback it starts only when somebody could come in', async () => {
  const { code, complaint } = await refusedWith({
    ...{ HOST: '0.0.0.0', LEDGER_TLS: 'proxy' },
    DATABASE_URL: await freshDatabase(),
  });
  expect([code, complaint]).toEqual([1, [expect.stringMatching(/^LEDGER_ACCESS: .*keys create --offline/)]]);
});

test('unless told so in so many words', async () => {
  const env = { HOST: '0.0.0.0', LEDGER_WITHOUT_ACCESS_CONTROL: 'listen-everywhere' };
  const service = spawnService(environment({ databaseUrl: await freshDatabase(), env }));
  await service.waitForLine(/^Everybody who reaches this address may do everything/);
  await service.waitForLine(/^Ledger on http/);
  await service.kill();
});

test('a service whose database a file names makes itself no first key', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'configuration-'));
  const file = join(directory, 'url');
  await writeFile(file, await freshDatabase(), { mode: 0o600 });
  const { code, complaint } = await refusedWith({
    ...{ DATABASE_URL: undefined, DATABASE_URL_FILE: file },
    ...{ LEDGER_ACCESS: 'required', LEDGER_DATA_DIR: directory },
  });
  expect([code, complaint]).toEqual([1, [expect.stringMatching(/^LEDGER_ACCESS: .*keys create --offline/)]]);
  expect(await readdir(directory)).toEqual(['url']);
  await rm(directory, { recursive: true });
});

const occupied: Server[] = [];
afterAll(() => {
  for (const server of occupied) server.close();
});

test('a port in use is named in one line', async () => {
  const { port } = await occupiedPort();
  const { code, complaint } = await refusedWith({ PORT: String(port), DATABASE_URL: await freshDatabase() });
  expect(code).toBe(1);
  expect(complaint).toHaveLength(1);
  expect(complaint[0]).toContain(String(port));
  expect(complaint[0]).toContain('PORT');
});

test('a Postgres that is not there is named in one line, without its password', async () => {
  const DATABASE_URL = await nobodysUrl();
  const { port } = new URL(DATABASE_URL);
  const { code, output, complaint } = await refusedWith({ DATABASE_URL, DATABASE_WAIT_SECONDS: '0' });
  expect([code, output]).toEqual([69, []]);
  expect(complaint).toHaveLength(1);
  expect(complaint[0]).toContain(`127.0.0.1:${port}`);
  expect(complaint[0]).not.toContain('secret');
});

test('a Postgres that is away is waited for, with a word, for as long as was said', async () => {
  const DATABASE_URL = await nobodysUrl();
  const { code, output, complaint } = await refusedWith({ DATABASE_URL, DATABASE_WAIT_SECONDS: '1' });
  expect(code).toBe(69);
  expect(output).toEqual([expect.stringMatching(/ECONNREFUSED.*waiting for it, at most 1 s$/)]);
  expect(complaint).toEqual([expect.stringMatching(/cannot be reached within 1 s: .*ECONNREFUSED/)]);
});

test('a Postgres that comes back while it is waited for is used', async () => {
  const databaseUrl = await freshDatabase();
  const { hostname: host, port } = new URL(databaseUrl);
  const proxy = await startProxy({ target: { host, port: Number(port) } });
  proxy.cut();
  const service = spawnService(environment({ databaseUrl: proxy.reroute(databaseUrl) }));
  await service.waitForLine(/waiting for it, at most 60 s$/, 30_000);
  proxy.heal();
  await service.waitForLine(/^Ledger on http/, 30_000);
  await service.kill();
  await proxy.close();
});

test('a signal ends the wait', async () => {
  const service = spawnService(environment({ databaseUrl: await nobodysUrl() }));
  await service.waitForLine(/waiting for it/, 30_000);
  expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(service.errors).toEqual([]);
});

test.each([
  ['a wrong password', { password: 's3cret' }, 'password authentication failed for user "ledger"'],
  ['a database that does not exist', { pathname: '/nowhere' }, 'database "nowhere" does not exist'],
])('%s is told at once', async (_, wrong, said) => {
  const DATABASE_URL = Object.assign(new URL(await freshDatabase()), wrong).href;
  const { code, output, complaint } = await refusedWith({ DATABASE_URL });
  expect([code, output, complaint]).toEqual([1, [], [`Postgres refuses: ${said}`]]);
});

test.each([
  'postgres://ledger:s3cret@[host/db',
  'postgres:/ledger:s3cret@host/db',
  'ledger:s3cret@host/db',
  'host=host password=s3cret',
])('the password of a DATABASE_URL that cannot be used is not told: %s', async (DATABASE_URL) => {
  const { code, complaint } = await refusedWith({ DATABASE_URL });
  expect([code, complaint.length]).toEqual([1, 1]);
  expect(complaint[0]).toMatch(/^DATABASE_URL: /);
  expect(complaint[0]).not.toContain('s3cret');
});

test('a data directory that cannot be used is not taken for a Postgres that is away', async () => {
  const env = { DATABASE_URL: undefined, LEDGER_DATA_DIR: '/dev/null/data', POSTGRES_PORT: '0' };
  const { code, complaint } = await refusedWith(env);
  expect(code).toBe(1);
  expect(complaint).toEqual([
    expect.stringMatching(/^Postgres: cannot use its directory: ENOTDIR.*LEDGER_DATA_DIR$/),
  ]);
});

test('a number of partitions that changes nothing is said to change nothing', async () => {
  const databaseUrl = await freshDatabase();
  const starts = async (env: NodeJS.ProcessEnv) => {
    const service = spawnService(environment({ databaseUrl, env }));
    await service.waitForLine(/^Ledger on http/, 30_000);
    await service.kill();
    return service.lines.filter((line) => line.includes('LEDGER_PARTITIONS'));
  };
  expect(await starts({ LEDGER_PARTITIONS: '8' })).toEqual([]);
  expect(await starts({})).toEqual([]);
  expect(await starts({ LEDGER_PARTITIONS: '4' })).toEqual([
    'LEDGER_PARTITIONS=4 has no effect: this ledger was created with 8 partitions, and that cannot be changed',
  ]);
});

test('a database without a ledger is refused when it may not be made', async () => {
  const { code, complaint } = await refusedWith({ LEDGER_MIGRATE: 'never' });
  expect([code, complaint.length]).toEqual([1, 1]);
  expect(complaint[0]).not.toMatch(/^\s*at /);
});

test('every setting is in the table of docs/running.md, in the same order, and nothing else is', async () => {
  const page = await readFile(new URL('../../docs/running.md', import.meta.url), 'utf8');
  const table = /\n\| variable [\s\S]*?\n\n/.exec(page)?.[0] ?? '';
  expect([...table.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map(([, name]) => name)).toEqual(SETTINGS);
});

/** A Postgres that is not there. */
async function nobodysUrl(): Promise<string> {
  const { server, port } = await occupiedPort();
  server.close();
  return `postgres://ledger:secret@127.0.0.1:${port}/ledger`;
}

async function occupiedPort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  occupied.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}
