import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort, startPostgres } from '#dev-stack';
import { migrate } from '#log';
import { ask } from '../support/http.js';
import type { NodeProcess } from '../support/process.js';
import { environment, spawnService } from '../support/service.js';
import { cloudDev } from '../support/sessions.js';

// Who gets into the embedded Postgres, and what its login may do there.
const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const READY = /^Ledger on (http:\S+),/;
const NOBODY = 65_534;

let directory: string;
let postgresPort: number;
let service: NodeProcess | undefined;

const postgresDir = () => join(directory, 'postgres');
const passwordFile = () => join(postgresDir(), 'password');
const password = async () => (await readFile(passwordFile(), 'utf8')).trim();
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

async function start(): Promise<string> {
  const env = { DATABASE_URL: undefined, LEDGER_DATA_DIR: directory, POSTGRES_PORT: String(postgresPort) };
  service = spawnService(environment({ databaseUrl: '', env }));
  return READY.exec(await service.waitForLine(READY, 60_000))?.[1] ?? '';
}

const loginAs = (user: string, secret: string | undefined, database = 'ledger') =>
  new pg.Client({ host: '127.0.0.1', port: postgresPort, user, password: secret, database });

/** The code of what Postgres answers to a login, or `in`. */
async function entering(client: pg.Client): Promise<string> {
  client.on('error', () => {});
  try {
    await client.connect();
    return 'in';
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message;
  } finally {
    await client.end().catch(() => {});
  }
}

async function asked<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  const client = loginAs('ledger', await password());
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded-login-'));
  postgresPort = await freePort();
});
afterEach(async () => {
  await service?.kill('SIGTERM');
  service = undefined;
  await rm(directory, { recursive: true, force: true });
});

test('nobody gets in without the password, which our account alone may read', async () => {
  await start();
  const tries: [user: string, secret: string | undefined][] = [
    ...(['ledger', 'nobody', 'postgres', 'ledger_superuser', 'session_ledger'] as const).flatMap((user) =>
      ['ledger', '', undefined, user].map((secret): [string, string | undefined] => [user, secret]),
    ),
    ['nobody', await password()],
    ['ledger_superuser', await password()],
  ];
  for (const [user, secret] of tries)
    expect([user, secret, await entering(loginAs(user, secret))]).toEqual([
      ...[user, secret],
      expect.stringMatching(/^28|^SASL: .*password must be a/),
    ]);
  expect(await entering(loginAs('ledger', await password()))).toBe('in');
  const files = [passwordFile(), join(directory, 'running.json')];
  expect(await Promise.all(files.map(modeOf))).toEqual(['600', '600']);
  expect(await modeOf(postgresDir())).toBe('700');
  if (process.getuid?.() !== 0) return;
  for (const file of files)
    await expect(run('cat', [file], { uid: NOBODY, gid: NOBODY, cwd: '/' })).rejects.toThrow(
      'Permission denied',
    );
});

test('the login is no superuser: it reads no file and runs no program', async () => {
  await start();
  const [role] = await asked("select rolsuper, rolcreatedb from pg_roles where rolname = 'ledger'");
  expect(role).toEqual({ rolsuper: false, rolcreatedb: false });
  for (const sql of [
    "select pg_read_file('PG_VERSION')",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/never'",
    "alter system set log_statement = 'all'",
    'alter role ledger superuser',
    'set role ledger_superuser',
  ])
    await expect(asked(sql)).rejects.toMatchObject({ code: '42501' });
  const supers = await asked('select rolname, rolcanlogin from pg_roles where rolsuper');
  expect(supers).toEqual([{ rolname: 'ledger_superuser', rolcanlogin: false }]);
});

test('the password stands in no output, log or command line, and the command line finds it', async () => {
  const url = await start();
  const body = { userId: 'ada', owner: cloudDev };
  expect((await ask(`${url}/v1/sessions`, { body })).status).toBe(201);
  const env = { ...process.env, LEDGER_DATA_DIR: directory, DATABASE_URL: undefined };
  const verified = await run(process.execPath, [cli, 'verify'], { env });
  const help = await run(process.execPath, [cli, 'verify', '--help'], { env });
  expect(verified.stdout).toMatch(/ 1 +1 +1 +[0-9a-f]{16} +sound/);
  const written = [
    ...[verified.stdout, verified.stderr, help.stdout, ...(service?.lines ?? []), ...(service?.errors ?? [])],
    await readFile(join(postgresDir(), 'postgres.log'), 'utf8'),
    (await run('ps', ['-eo', 'args'])).stdout,
  ].join('\n');
  expect(written).toContain('postgres: ledger ledger'); // the title of a connection
  expect(written).not.toContain(await password());
});

test('data of an older version, whose login was a superuser with a known password, are opened and mended', async () => {
  await makeOlderData();
  const url = await start();
  expect(await entering(loginAs('ledger', 'ledger'))).toBe('28P01');
  expect(await entering(loginAs('postgres', undefined))).toBe('28000');
  const [role] = await asked("select rolsuper from pg_roles where rolname = 'ledger'");
  expect(role).toEqual({ rolsuper: false });
  const strangers = await asked(
    `select relname from pg_class where relnamespace = 'ledger'::regnamespace and relowner <> 'ledger'::regrole
     union all select proname from pg_proc where pronamespace = 'ledger'::regnamespace and proowner <> 'ledger'::regrole`,
  );
  expect(strangers).toEqual([]);
  expect((await ask(`${url}/v1/sessions`, { body: { userId: 'ada', owner: cloudDev } })).status).toBe(201);
  await asked('alter table ledger.scopes add column later int'); // as the next migration may
  await service?.kill('SIGTERM');
  await asked('select 1').catch(() => {});
  const secret = await password();
  const again = await start();
  expect((await ask(`${again}/v1/current?userId=ada`)).status).toBe(200);
  expect(await password()).toBe(secret);
});

test('what a crash between the login and its file has left is made whole', async () => {
  await start();
  await service?.kill('SIGTERM');
  const old = await password();
  await rm(passwordFile());
  await start();
  expect(await password()).not.toBe(old);
  expect(await entering(loginAs('ledger', old))).toBe('28P01');
});

/** A ledger as earlier versions made it: the first superuser `ledger`, with its name as the password, trusted by a line. */
async function makeOlderData(): Promise<void> {
  const options = { dataDir: postgresDir(), port: postgresPort, superuser: true, log: () => {} };
  const { url, stop } = await startPostgres(options);
  await migrate({ url, partitions: 4 });
  const ledger = new pg.Client(url);
  await ledger.connect();
  await writeFile(join(postgresDir(), 'cluster', 'pg_hba.conf'), 'host all all 127.0.0.1/32 trust\n');
  await ledger.query('select pg_reload_conf()');
  await ledger.query("create role mover superuser login; set lock_timeout = '5s'");
  await ledger.query('reassign owned by ledger to ledger_superuser; drop owned by ledger');
  await ledger.end();
  const mover = loginAs('mover', undefined);
  await mover.connect();
  await mover.query('drop role ledger; alter role ledger_superuser rename to ledger');
  await mover.query("alter role ledger login password 'ledger'");
  await mover.end();
  await stop();
  await rm(passwordFile());
}
