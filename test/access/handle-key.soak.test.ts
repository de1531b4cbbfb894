import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identify, migrate, readHandleKey, roleOf } from '#log';
import { openPool } from '#postgres';
import { execute } from '../support/database.js';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';
import { environment, freshDatabase, type Service, spawnService, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

/**
 * The key that hashes handles, in a file: the database does not have it, and no ledger starts without the one that is its
 * own.
 */

const { until } = within(20_000);
const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'handle-key-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string) => join(directory, name);

const spawnCli = (databaseUrl: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnNode(cli, {
    args,
    env: { DATABASE_URL: databaseUrl, LEDGER_HANDLE_KEY_FILE: undefined, LEDGER_DATA_DIR: directory, ...env },
  });
/** What a command says, and its exit code. */
async function run(...given: Parameters<typeof spawnCli>): Promise<[number | null, string]> {
  const child = spawnCli(...given);
  const { code } = await child.exited;
  return [code, [...child.lines, ...child.errors].join('\n')];
}
const move = (databaseUrl: string, file: string) => run(databaseUrl, ['handle-key', 'move', '-o', file]);
async function make(name: string): Promise<string> {
  expect(await run('', ['handle-key', 'make', '-o', at(name)])).toEqual([
    0,
    expect.stringContaining(at(name)),
  ]);
  return at(name);
}

const serve = (databaseUrl: string, file?: string) =>
  startService({ databaseUrl, env: { LEDGER_MIGRATE: 'never', LEDGER_HANDLE_KEY_FILE: file } });
/** The one line with which a service refuses to start. */
async function refusal(databaseUrl: string, file?: string): Promise<string> {
  const env = { LEDGER_MIGRATE: 'never', LEDGER_HANDLE_KEY_FILE: file };
  const child = spawnService(environment({ databaseUrl, env }));
  expect([(await child.exited).code, child.lines, child.errors.length]).toEqual([1, [], 1]);
  return child.errors[0] as string;
}

const HANDLE = { kind: 'agent', value: 'one of many' };
async function bind({ url }: Service): Promise<string> {
  const body = { userId: newUser(), owner: cloudDev, handles: [{ ...HANDLE, binds: 'scope' }] };
  const answer = await ask<{ session: { sessionId: string } }>(`${url}/v1/sessions`, { body });
  expect(answer.status).toBe(201);
  return answer.body.session.sessionId;
}
async function found({ url }: Service): Promise<string | undefined> {
  const answer = await ask<{ session?: { sessionId: string } }>(`${url}/v1/resolve`, {
    body: { candidates: [HANDLE] },
  });
  expect(answer.status).toBe(200);
  return answer.body.session?.sessionId;
}

interface Kept {
  id: string;
  handle_key: Buffer | null;
  handle_key_check: Buffer | null;
}
const keptIn = async (databaseUrl: string) =>
  (await execute(databaseUrl, 'select id, handle_key, handle_key_check from ledger.ledger')).rows[0] as Kept;
async function hashIn(databaseUrl: string): Promise<string> {
  return (await execute(databaseUrl, 'select hash from ledger.handles')).rows[0].hash;
}
/** All rows of all tables, as a dump has them, and the very bytes of the table that had the key. */
async function dumpOf(databaseUrl: string): Promise<string> {
  const tables = await execute(
    databaseUrl,
    "select format('ledger.%I', tablename) as name from pg_tables where schemaname = 'ledger'",
  );
  let dump = '';
  for (const { name } of tables.rows) {
    const { rows } = await execute(databaseUrl, `select t::text as row from ${name} t`);
    dump += rows.map(({ row }) => `${row}\n`).join('');
  }
  await execute(databaseUrl, 'checkpoint');
  const file = await execute(
    databaseUrl,
    "select encode(pg_read_binary_file(pg_relation_filepath('ledger.ledger')), 'hex') as bytes",
  );
  return dump + file.rows[0].bytes;
}
const hexOf = (file: string) =>
  Buffer.from(/([\w-]{43})\n$/.exec(readFileSync(file, 'utf8'))?.[1] ?? '', 'base64url').toString('hex');

async function newLedger(handleKeyFile?: string): Promise<string> {
  const url = await freshDatabase();
  await migrate({ url, partitions: 2, handleKeyFile });
  return url;
}

test('a new ledger that is made with a file has no key in its database', async () => {
  const file = await make('new.key');
  expect([statSync(file).mode & 0o777, readFileSync(file, 'utf8')]).toEqual([
    0o600,
    expect.stringMatching(/^HANDLE\+KEY\+[\w-]{43}\n$/),
  ]);
  const before = readFileSync(file, 'utf8');
  expect(await run('', ['handle-key', 'make', '-o', file])).toEqual([1, `${file} is there already`]);
  expect(readFileSync(file, 'utf8')).toBe(before);

  const url = await freshDatabase();
  expect((await run(url, ['migrate'], { LEDGER_HANDLE_KEY_FILE: file }))[0]).toBe(0);
  const service = await serve(url, file);
  const sessionId = await bind(service);
  await service.restart();
  expect(await found(service)).toBe(sessionId);
  expect(await keptIn(url)).toMatchObject({ handle_key: null, handle_key_check: expect.any(Buffer) });
  expect(await dumpOf(url)).not.toContain(hexOf(file));
  // The service may make its ledger itself.
  const env = { LEDGER_HANDLE_KEY_FILE: file };
  const another = await startService({ env });
  expect((await keptIn(another.databaseUrl)).handle_key).toBeNull();
});

test("an existing ledger's key is moved while it serves, and what was bound before is found with the file", async () => {
  const url = await newLedger();
  const service = await serve(url);
  const sessionId = await bind(service);
  const key = (await keptIn(url)).handle_key?.toString('hex') as string;
  expect(await dumpOf(url)).toContain(key); // the search finds one
  const file = at('moved.key');
  expect(await move(url, file)).toEqual([0, expect.stringContaining('set LEDGER_HANDLE_KEY_FILE before')]);
  expect([statSync(file).mode & 0o777, hexOf(file)]).toEqual([0o600, key]);
  expect(await dumpOf(url)).not.toContain(key);
  expect(await found(service)).toBe(sessionId); // it holds the key
  await service.stop();
  expect(await refusal(url)).toMatch(/^LEDGER_HANDLE_KEY_FILE is not set.*name that file/);
  const after = await serve(url, file);
  expect(await found(after)).toBe(sessionId);
  expect(await move(url, file)).toEqual([0, `the key is in ${file} already`]);
  expect(await move(url, at('second.key'))).toEqual([
    1,
    `The key of this ledger is in a file already, and ${at('second.key')} is not there: name that file`,
  ]);
  expect(await found(after)).toBe(sessionId);
});

test('a setting that does not fit the ledger is refused in one line that says what to do', async () => {
  const [table, made] = [await newLedger(), await newLedger(await make('made.key'))];
  expect(await refusal(table, at('made.key'))).toMatch(/^LEDGER_HANDLE_KEY_FILE is set.*handle-key move/);
  const env = { LEDGER_HANDLE_KEY_FILE: at('made.key') };
  expect(await run(table, ['migrate'], env)).toEqual([
    1,
    expect.stringMatching(/LEDGER_HANDLE_KEY_FILE is set.*handle-key move/),
  ]);
  const wrong = await make('wrong.key');
  expect(await refusal(made, wrong)).toMatch(
    /^LEDGER_HANDLE_KEY_FILE: .* is not the handle key of the ledger/,
  );
  // The key itself, where its file's name belongs.
  const text = readFileSync(at('made.key'), 'utf8').trim();
  expect(await refusal(made, text)).toBe('LEDGER_HANDLE_KEY_FILE: HANDLE+KEY+… cannot be read: ENOENT');
});

test('a file that cannot be used is refused with what is wrong with it', async () => {
  const file = await make('right.key');
  const url = await newLedger(file);
  writeFileSync(at('open.key'), readFileSync(file), { mode: 0o644 });
  writeFileSync(at('none.key'), 'something else\n', { mode: 0o600 });
  writeFileSync(at('cut.key'), readFileSync(file, 'utf8').slice(0, -8), { mode: 0o600 });
  const pool = openPool({ url }, 1);
  const identity = await identify(pool);
  for (const [name, said] of [
    ['missing.key', ' cannot be read: ENOENT'],
    ['open.key', ': others than its owner may read it (mode 644): chmod 600 it'],
    ['none.key', ' holds no handle key: `session-ledger handle-key make` makes one'],
    ['cut.key', ' holds no handle key: `session-ledger handle-key make` makes one'],
  ] as const) {
    await expect(readHandleKey(pool, identity, at(name))).rejects.toMatchObject({
      name: 'KeyFileError',
      message: `LEDGER_HANDLE_KEY_FILE: ${at(name)}${said}`,
    });
  }
  expect(await readHandleKey(pool, identity, file)).toHaveLength(32);
  await pool.end();
});

test('no two ledgers have one key, whichever files they are given', async () => {
  const shared = await make('shared.key');
  const [one, two] = [await newLedger(shared), await newLedger(shared)];
  for (const url of [one, two]) await bind(await serve(url, shared));
  expect(await hashIn(one)).not.toBe(await hashIn(two));

  const former = await newLedger();
  await move(former, at('former.key'));
  const says = `${at('former.key')} is the handle key of the ledger ${(await keptIn(former)).id}, and this one is `;
  expect(await refusal(one, at('former.key'))).toBe(
    `LEDGER_HANDLE_KEY_FILE: ${says}${(await keptIn(one)).id}`,
  );
  const empty = await freshDatabase();
  const [code, said] = await run(empty, ['migrate'], { LEDGER_HANDLE_KEY_FILE: at('former.key') });
  expect([code, said]).toEqual([1, expect.stringContaining(says)]);
  expect((await execute(empty, "select to_regclass('ledger.ledger') as made")).rows).toEqual([
    { made: null },
  ]);
});

test('a move never writes over a file, and leaves none where the login may not change the ledger', async () => {
  const [url, other] = [await newLedger(), await newLedger()];
  await move(other, at('other.key'));
  const before = readFileSync(at('other.key'), 'utf8');
  expect(await move(url, at('other.key'))).toEqual([1, expect.stringContaining('and this one is')]);
  expect(await move(url, await make('fresh.key'))).toEqual([
    1,
    expect.stringContaining('is not the handle key of the ledger'),
  ]);
  expect(readFileSync(at('other.key'), 'utf8')).toBe(before);
  expect(await move(url, at('nowhere/a.key'))).toEqual([
    1,
    `${at('nowhere/a.key')} cannot be written: ENOENT`,
  ]);
  expect(await move(await freshDatabase(), at('none'))).toEqual([
    1,
    'This database has no ledger yet: migrate it.',
  ]);

  const role = await roleOf({ url }, 'service');
  const login = new URL(url);
  [login.username, login.password] = [`service_${login.pathname.slice(1)}`, 'secret'];
  await execute(url, `create role ${login.username} login password 'secret' in role ${role}`);
  expect(await move(login.href, at('service.key'))).toEqual([
    1,
    'Postgres refuses: permission denied for table ledger',
  ]);
  expect(existsSync(at('service.key'))).toBe(false);
  expect((await keptIn(url)).handle_key).not.toBeNull();
  await execute(url, `drop role ${login.username}`);
});

test('a move that is killed between the file and the commit leaves the ledger as it was, and the next one finishes', async () => {
  const url = await newLedger();
  const service = await serve(url);
  const sessionId = await bind(service);
  await execute(
    url,
    `create function ledger.commit_slowly() returns trigger language plpgsql as 'begin perform pg_sleep(60); return null; end';
     create constraint trigger slow after update on ledger.ledger deferrable initially deferred
       for each row execute function ledger.commit_slowly()`,
  );
  const file = at('killed.key');
  const killed = spawnCli(url, ['handle-key', 'move', '-o', file]);
  const sleeping =
    "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
  await until(async () => (await execute(url, sleeping)).rowCount === 1);
  await killed.kill('SIGKILL');
  await execute(url, `select pg_terminate_backend(pid, 5000) from (${sleeping}) s`);
  await execute(url, 'drop trigger slow on ledger.ledger; drop function ledger.commit_slowly()');
  expect([existsSync(file), (await keptIn(url)).handle_key]).toEqual([true, expect.any(Buffer)]);
  await service.restart();
  expect(await found(service)).toBe(sessionId);

  expect(await move(url, file)).toEqual([0, expect.stringContaining('no longer in the database')]);
  await service.stop();
  expect(await found(await serve(url, file))).toBe(sessionId);
});
