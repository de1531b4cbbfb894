import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort } from '#dev-stack';
import { by } from '../support/access/guarded.js';
import { type Issuer, startIssuer } from '../support/access/issuer.js';
import { Canaries } from '../support/canaries.js';
import { ask, type Call } from '../support/http.js';
import { type NodeProcess, spawnNode } from '../support/process.js';
import { environment, spawnService } from '../support/service.js';

/**
 * Keys, tokens, passwords and handles stand nowhere but where they belong: not in what the service and its Postgres write,
 * nor in the arguments and titles of any process, in figures, in what is refused, or in the database. The service makes its
 * own Postgres, password and first key here, so that all of that is looked at, too.
 */

const READY = /^Ledger on (http:\S+),/;
const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const canaries = new Canaries();
const handle = canaries.make('handle');
/** What must stand nowhere, by what it is called. */
const secrets = new Map<string, string>([['a handle', handle]]);

let directory: string;
let service: NodeProcess;
let url: string;
let issuer: Issuer;
let postgresPort: number;
/** The command lines of all processes that there were, titles included: Postgres' are what they do. */
const commandLines = new Set<string>();
let watching: NodeJS.Timeout;
/** What was told to whoever was refused, and what the service and the commands said. */
const told: string[] = [];

function look(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // it has ended
    }
  }
}

const dataFile = async (name: string) => (await readFile(join(directory, name), 'utf8')).trim();

beforeAll(async () => {
  watching = setInterval(look, 20);
  directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  issuer = await startIssuer();
  postgresPort = await freePort();
  const env = {
    ...{ DATABASE_URL: undefined, LEDGER_DATA_DIR: directory, POSTGRES_PORT: String(postgresPort) },
    ...{ LEDGER_ACCESS: 'required', ...issuer.env },
  };
  service = spawnService(environment({ databaseUrl: '', env }));
  url = READY.exec(await service.waitForLine(READY, 60_000))?.[1] ?? '';
  secrets.set('the first key', await dataFile('admin-key'));
  secrets.set("Postgres' password", await dataFile('postgres/password'));
});
afterAll(async () => {
  clearInterval(watching);
  await service?.kill('SIGTERM');
  await rm(directory, { recursive: true, force: true });
});

/** Which secrets stand in a text, whole or but for their last characters. */
const leaksIn = (text: string) =>
  [...secrets].filter(([, secret]) => text.includes(secret.slice(0, -6))).map(([what]) => what);

const databaseUrl = () =>
  `postgres://ledger:${secrets.get("Postgres' password")}@127.0.0.1:${postgresPort}/ledger`;

/** Runs a command; what it says beside its first line, which may be the secret that it was asked for, is kept. */
async function run(args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawnNode(cli, { args, env: { LEDGER_URL: url, ...env } });
  await child.exited;
  const [first = '', ...others] = child.lines;
  told.push(...others, ...child.errors);
  return first;
}

/** Asks for what is refused; the answer is kept. */
async function refused(path: string, call: Call = {}): Promise<void> {
  const { status, text, headers } = await ask(url + path, call);
  expect([path.slice(0, 20), status]).toEqual([path.slice(0, 20), expect.any(Number)]);
  expect(status).toBeGreaterThanOrEqual(400);
  told.push(text, JSON.stringify([...headers]));
}

test('while keys are made, used, mistaken, rotated and revoked, nothing says them', async () => {
  const first = { LEDGER_TOKEN_FILE: join(directory, 'admin-key') };
  const create = ['keys', 'create', '--permissions', 'read,write,operate', '--tenant', 'red', '--name', 'n'];
  const offline = await run([...create, '--offline'], { DATABASE_URL: databaseUrl() });
  const key = await run(create, first);
  const rotated = await run(['keys', 'rotate', key.slice(4, 14)], first);
  const revoked = await run(create, first);
  await run(['keys', 'list', '--json'], first);
  told.push(await run(['keys', 'revoke', revoked.slice(4, 14)], first));
  for (const secret of [offline, key, rotated, revoked]) expect(secret).toMatch(/^slt_[0-9A-Za-z]{59}$/);
  const token = await issuer.token({ permissions: ['read', 'write'] });
  const known = { offline, key, rotated, revoked, token, forged: await issuer.forged({}) };
  for (const [what, secret] of Object.entries(known)) secrets.set(what, secret);

  for (const secret of [key, rotated, token]) {
    const handles = [{ kind: 'agent', value: handle, binds: 'scope' }];
    const body = { userId: 'ada', owner: { environment: 'a' }, handles };
    expect((await ask(`${url}/v1/sessions`, { body, headers: by(secret) })).status).toBeLessThan(300);
    const candidates = [{ kind: 'agent', value: handle }];
    expect((await ask(`${url}/v1/resolve`, { body: { candidates }, headers: by(secret) })).status).toBe(200);
  }
  for (const secret of Object.values(known)) {
    const asks = by(secret);
    for (const wrong of [`${secret}x`, secret.slice(0, -1), `${secret} `, `"${secret}"`]) {
      await refused('/v1/stats', { headers: { authorization: `Bearer ${wrong}, x` } });
      await refused('/v1/stats', { headers: { authorization: `Basic ${wrong}` } });
    }
    await refused(`/v1/stats?access_token=${secret}`);
    await refused(`/v1/stats?access_token=${secret}`, { headers: asks });
    await refused(`/v1/${secret}`, { headers: asks });
    await refused(`/v1/sessions/${secret}`, { headers: asks });
    await refused(`/v1/keys/${secret}`, { method: 'DELETE', headers: asks });
    await refused('/v1/feed?partition=0', { headers: asks });
    await refused('/v1/stream?userId=a', { headers: { ...asks, 'last-event-id': secret } });
    await refused('/v1/sessions', { body: { [secret]: secret, owner: secret }, headers: asks });
    await refused('/v1/sessions', { body: `{"userId":"${secret}`, headers: asks });
    await refused('/v1/sessions', { body: {}, headers: { ...asks, 'content-type': secret.slice(0, 60) } });
    await refused('/v1/current?userId=a', {
      headers: { ...asks, host: secret.slice(0, 60), origin: secret },
    });
  }
  await refused('/v1/keys', { body: { name: secrets.get('key'), permissions: ['fly'] }, headers: by(key) });
});

test('what Postgres refuses, and what it is asked when it is in trouble, quotes none', async () => {
  const admin = by(secrets.get('the first key') ?? '');
  const administrator = new pg.Client({ connectionString: databaseUrl() });
  await administrator.connect();
  await administrator.query('alter table ledger.keys add constraint refused check (false) not valid');
  const body = { tenant: 'red', name: 'n', permissions: ['read'] };
  await refused('/v1/keys', { body, headers: admin });
  await administrator.query('alter table ledger.keys drop constraint refused');
  await administrator.end();
});

test('settings that are wrong are told without what is secret in them', async () => {
  const env = {
    LEDGER_DATA_DIR: join(directory, 'other'),
    LEDGER_ACCESS: 'required',
    DATABASE_WAIT_SECONDS: '0',
  };
  const nowhere = databaseUrl().replace(/:\d+\/ledger$/, ':1/ledger');
  for (const wrong of [
    { LEDGER_ADMIN_KEY_SHA256: secrets.get('key'), DATABASE_URL: nowhere },
    { LEDGER_ADMIN_KEY_SHA256: secrets.get('token'), DATABASE_URL: nowhere },
    { LEDGER_ALLOWED_HOSTS: `a ${secrets.get('key')}`, DATABASE_URL: nowhere },
    { DATABASE_URL: nowhere },
    { DATABASE_URL: `${databaseUrl()}-that-is-none` },
  ]) {
    const child = spawnService(environment({ databaseUrl: '', env: { ...env, ...wrong } }));
    expect((await child.exited).code).not.toBe(0);
    expect(child.errors.join('')).not.toBe('');
    told.push(...child.lines, ...child.errors);
  }
  await run(['current', 'ada'], { LEDGER_TOKEN: `${secrets.get('key')}x` });
  await run(['stats'], { LEDGER_TOKEN: secrets.get('revoked') });
  await run(['verify'], { DATABASE_URL: nowhere });
});

test('no secret stands in what was told, written, counted, or given to a process as an argument', async () => {
  const headers = by(secrets.get('the first key') ?? '');
  const figures = await ask(`${url}/metrics`, { headers });
  const ready = await ask(`${url}/health/ready`, { headers });
  const log = spawnNode(cli, {
    args: ['access-log', '--since', '1h', '--json'],
    env: { DATABASE_URL: databaseUrl() },
  });
  await log.exited;
  expect([figures.status, ready.status, log.lines.length > 5]).toEqual([200, 200, true]);
  look();
  // The watch saw what ran: the service, the commands, and Postgres by its titles.
  const lines = [...commandLines];
  for (const seen of [/apps\/ledger\/main\.js/, /apps\/cli\/main\.js keys rotate/, /^postgres: .*ledger/]) {
    expect(lines.some((line) => seen.test(line))).toBe(true);
  }
  const places = {
    told: told.join('\n'),
    service: [...service.lines, ...service.errors].join('\n'),
    'postgres.log': await readFile(join(directory, 'postgres', 'postgres.log'), 'utf8'),
    metrics: figures.text,
    health: ready.text,
    'access log': log.lines.join('\n'),
    'command lines': lines.join('\n'),
    'what Postgres runs': await rowsOf(['pg_catalog.pg_stat_activity']),
    'what Postgres keeps': await rowsOf(await tables()),
  };
  expect(secrets.size).toBe(9);
  for (const [place, text] of Object.entries(places)) {
    expect([place, text.length > 0, leaksIn(text)]).toEqual([place, true, []]);
  }
});

async function rowsOf(names: string[]): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  try {
    const texts: string[] = [];
    for (const name of names) {
      const { rows } = await client.query(`select t::text as row from ${name} t`);
      texts.push(...rows.map(({ row }) => row));
    }
    return texts.join('\n');
  } finally {
    await client.end();
  }
}

async function tables(): Promise<string[]> {
  const rows = await rowsOf([
    "(select 'ledger.' || quote_ident(tablename) from pg_tables where schemaname = 'ledger')",
  ]);
  return rows.split('\n').map((row) => row.slice(1, -1));
}
