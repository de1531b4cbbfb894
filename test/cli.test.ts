import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '#dev-stack';
import { createDatabase } from './support/database.js';
import { ask } from './support/http.js';
import { freshDatabase, type Service, startService } from './support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from './support/sessions.js';

// The command line as people and scripts use it: processes, their output and exit codes.
const main = fileURLToPath(new URL('../dist/apps/cli/main.js', import.meta.url));

let service: Service;
beforeAll(async () => {
  service = await startService({ databaseUrl: await freshDatabase() });
});

interface Ran {
  code: number;
  out: string;
  err: string;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const surroundings = {
    PATH: process.env.PATH,
    LEDGER_URL: service.url,
    DATABASE_URL: service.databaseUrl,
    ...env,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: surroundings, timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}
const lines = ({ out }: Ran) => out.trimEnd().split('\n');
const documents = (ran: Ran) => lines(ran).map((line) => JSON.parse(line));
const start = (userId: string, more: object = {}) =>
  ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner: cloudDev, ...more } });

describe('current', () => {
  test('shows people the session, and gives programs the very JSON of the ledger', async () => {
    const userId = newUser();
    const { session } = (await start(userId, { projectId: 'a/b.c', lease: { seconds: 60 } })).body;
    const shown = await run(['current', userId, 'a/b.c']);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain(`session     ${session.sessionId}`);
    expect(shown.out).toContain('lease       60 s, renewed on heartbeat');
    expect(shown.out).not.toContain('\u001b');
    const asked = await ask(`${service.url}/v1/current?userId=${userId}&projectId=a%2Fb.c`);
    expect(documents(await run(['current', userId, 'a/b.c', '--json']))).toEqual([asked.body]);
  });

  test('ends with 3 when none is, and tells of the last one', async () => {
    const userId = newUser();
    expect(await run(['current', userId])).toEqual({ code: 3, out: '', err: 'no session is current\n' });
    const { session } = (await start(userId)).body;
    const body = { epoch: 1, origin: cloudDev, reason: 'done' };
    await ask(`${service.url}/v1/sessions/${session.sessionId}/end`, { body });
    expect((await run(['current', userId])).err).toMatch(
      /^no session is current; the last one ended at \S+, ended\n$/,
    );
  });
});

test('history shows what happened, refused stops with how often they came', async () => {
  const userId = newUser();
  const { session } = (await start(userId)).body;
  await start(userId, { owner: cloudDebug });
  const body = { epoch: 1, origin: cloudDev, reason: 'late' };
  for (let time = 0; time < 3; time++)
    await ask(`${service.url}/v1/sessions/${session.sessionId}/end`, { body });
  const shown = lines(await run(['history', userId]));
  expect(shown[0]).toMatch(/^position +time +event +session +epoch +what$/);
  expect(shown.slice(1).map((line) => line.split(/ {2,}/)[2])).toEqual([
    'SessionStarted',
    'SessionSuperseded',
    'SessionStarted',
    'StopIgnored',
  ]);
  expect(shown[4]).toContain('by cloud-dev, ignored: superseded, came 3 times');
  const events = documents(await run(['history', userId, '--json']));
  expect(events.map(({ data }) => data.version)).toEqual([1, 2, 3, 4]);
  expect(await run(['history', newUser()])).toEqual({
    code: 0,
    out: 'nothing has happened here yet\n',
    err: '',
  });
});

describe('offline', () => {
  test('verify finds a sound log sound, and ends with 4 for one that was changed', async () => {
    await start(newUser());
    const sound = await run(['verify']);
    expect(sound).toMatchObject({ code: 0, err: '' });
    expect(lines(sound)).toHaveLength(17);
    const reports = documents(await run(['verify', '--json']));
    expect(reports.flatMap(({ faults }) => faults)).toEqual([]);
    expect(lines(sound).filter((line) => line.endsWith('sound'))).toHaveLength(16);
  });

  test('verify ends with 4 for a log that was changed, and says where', async () => {
    const database = await createDatabase();
    const env = { DATABASE_URL: database.url };
    await run(['migrate', '--partitions', '2'], env);
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      'update ledger.heads set sequence = 1, frontier = decode(repeat($1, 32), $2) where partition = 1',
      ['ab', 'hex'],
    );
    await client.end();
    const unsound = await run(['verify'], env);
    expect(unsound.code).toBe(4);
    expect(unsound.out).toContain('partition 1: 0 events, where its head says 1');
    expect(unsound.err).toBe('2 faults: the log is not sound\n');
    await database.drop();
  });

  test('replay leads to the same digest each time', async () => {
    const [once] = documents(await run(['replay', '--json']));
    const [again] = documents(await run(['replay', '--json']));
    expect(again).toEqual(once);
    expect(once.state).toMatch(/^[0-9a-f]{64}$/);
    expect(once.events).toBeGreaterThan(0);
  });

  test('migrate makes a ledger, and finds nothing to do the second time', async () => {
    const database = await createDatabase();
    const env = { DATABASE_URL: database.url };
    expect((await run(['verify'], env)).err).toBe('This database holds no ledger yet: migrate it.\n');
    expect((await run(['migrate'], env)).out).toMatch(/^applied 001_ledger, /);
    expect((await run(['migrate'], env)).out).toBe('the schema is up to date\n');
    await database.drop();
  });
});

describe('the command line', () => {
  const wrong: [string, string[], string][] = [
    ['no command', [], 'Usage: session-ledger'],
    ['an unknown command', ['sessions'], "unknown command 'sessions'"],
    ['an unknown option', ['current', 'ada', '--verbose'], "unknown option '--verbose'"],
    ['a missing user', ['current'], "missing required argument 'userId'"],
    ['an argument too many', ['current', 'ada', 'captions', 'more'], 'too many arguments'],
    ['a URL that is none', ['current', 'ada', '--url', 'ledger:4600'], 'has to begin with http'],
    ['a database that is none', ['verify', '--database-url', 'mysql://x'], 'has to begin with postgres'],
    ['no partitions', ['migrate', '--partitions', '0'], 'from 1 to 4096'],
  ];
  test.each(wrong)('with %s ends with 2', async (_, args, said) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
  });

  test('without a database says what is missing', async () => {
    const { code, err } = await run(['verify'], { DATABASE_URL: undefined });
    expect([code, err]).toEqual([2, expect.stringContaining("'--database-url <url>' not specified")]);
  });

  test('ends with 1 when nobody answers, in one line', async () => {
    const nobody = await run(['current', 'ada', '--url', `http://127.0.0.1:${await freePort()}`]);
    expect(nobody).toMatchObject({ code: 1, out: '' });
    expect(nobody.err).toMatch(/^no answer from the ledger .*ECONNREFUSED.*\n$/);
    const noDatabase = await run(['verify', '--database-url', 'postgres://127.0.0.1:1/x']);
    expect(noDatabase).toMatchObject({ code: 1, out: '' });
    expect(noDatabase.err).toMatch(/^Postgres cannot be reached: .*ECONNREFUSED.*\n$/);
  });

  test('helps with every command, by examples', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    const commands = [...help.out.matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, name]) => name as string);
    expect(commands).toContain('history');
    for (const command of commands) {
      const { code, out } = await run([command, '--help']);
      expect([code, out]).toEqual([0, expect.stringContaining(`Examples:\n  session-ledger ${command}`)]);
    }
  });

  test('tells its version', async () => {
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
