import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort } from '#dev-stack';
import { createDatabase } from '../support/database.js';
import { ask } from '../support/http.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(20_000);

// The command line as people and scripts use it: processes, their output and exit codes.
const main = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));

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
  expect(shown[0]).toContain(`user ${userId}, project default, until `);
  expect(shown[1]).toMatch(/^position +time +event +session +epoch +what$/);
  expect(shown.slice(2).map((line) => line.split(/ {2,}/)[2])).toEqual([
    'SessionStarted',
    'SessionSuperseded',
    'SessionStarted',
    'StopIgnored',
  ]);
  expect(shown[5]).toContain('by cloud-dev, ignored: superseded, sent 3 times');
  const events = documents(await run(['history', userId, '--json']));
  expect(events.map(({ data }) => data.version)).toEqual([1, 2, 3, 4]);
  const nobody = newUser();
  const nothing = `user ${nobody}, project default: nothing has happened here yet\n`;
  expect(await run(['history', nobody])).toEqual({ code: 0, out: nothing, err: '' });
});

describe('chain', () => {
  test('shows the tip first, with what was used, and as it was', async () => {
    const userId = newUser();
    const { session, position } = (await start(userId)).body;
    const usage = { inputTokens: 7, outputTokens: 2, cost: { amount: '0.25', currency: 'EUR' } };
    const body = { epoch: 1, reason: 'build', versionId: 'v1', usage };
    const rotated = await ask<CommandBody>(`${service.url}/v1/sessions/${session.sessionId}/rotate`, {
      body,
    });
    await untilProjected(rotated.body.position);
    const [titles, tip, root, ...rest] = lines(await run(['chain', userId]));
    expect(titles).toMatch(/session +status +reason +version +started +tokens +cost$/);
    expect(tip).toMatch(/^2 .*active +build +v1/);
    expect(root).toMatch(/^1 .*ended: rotated .*7 in, 2 out +0.25 EUR$/);
    expect(rest).toEqual(['in all  1 operation: 7 tokens in (0 cached), 2 out, 0 s, 0.25 EUR']);
    const then = `${position.partition}:${position.sequence}`;
    expect(documents(await run(['chain', userId, '--as-of', then, '--json']))).toMatchObject([
      { sessionId: session.sessionId, status: 'active' },
      { usage: { operations: 0, cost: {} } },
    ]);
    const asOf = documents(await run(['current', userId, '--as-of', then, '--json']));
    expect(asOf).toMatchObject([{ sessionId: session.sessionId, epoch: 1 }]);
  });

  test('ends with 3 when there is no session', async () => {
    expect(await run(['chain', newUser()])).toEqual({ code: 3, out: '', err: 'there is no session\n' });
  });
});

describe('acts', () => {
  test('start, release and end name whom they act for, and show what came of it', async () => {
    const userId = newUser();
    const started = documents(await run(['start', userId, 'site', '--as', 'cloud-dev/w1', '--json']))[0];
    expect(started).toMatchObject({
      outcome: 'started',
      session: { owner: { environment: 'cloud-dev', instance: 'w1' } },
    });
    const [joined] = documents(
      await run(['start', userId, 'site', '--as', 'cloud-7', '--on-conflict', 'join', '--json']),
    );
    expect(joined).toMatchObject({ outcome: 'joined', session: { sessionId: started.session.sessionId } });
    const stranger = await run(['release', userId, 'site', '--as', 'cloud-7']);
    expect(stranger).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^not-owner: .*\n$/) });
    const released = await run(['release', userId, 'site', '--as', 'cloud-dev/w1', '--to', 'cloud-7']);
    expect(released).toMatchObject({ code: 0, err: '' });
    expect(released.out).toMatch(/^outcome +released$/m);
    expect(released.out).toMatch(/^reserved for +cloud-7 until /m);
    const ended = await run(['end', userId, 'site', '--force', '--reason', 'gone']);
    expect(ended.out).toMatch(/^outcome +ended$/m);
    expect(lines(await run(['sessions', userId, 'site']))[1]).toMatch(
      new RegExp(`^${started.session.sessionId} +ended `),
    );
  });

  test.each([
    [['end', 'ada', '--reason', 'x'], 2, 'name the owner with --as, or use --force'],
    [['end', 'ada', '--as', 'cloud-dev'], 2, "'--reason <text>' not specified"],
    [['end', 'nobody-was-here', '--force', '--reason', 'x'], 3, 'no session is current'],
    [['start', 'ada', '--as', '/'], 2, 'It has to be an environment'],
    [['current', 'ada', '--as-of', 'yesterday'], 2, 'It has to be a time such as'],
    [['bulk', '--action', 'end', '--reason', 'x'], 2, 'give --action, --reason, and --user or --environment'],
    [
      ['bulk', '--action', 'end', '--reason', 'x', '--user', 'ada'],
      2,
      'add --yes: there is no terminal to ask for confirmation',
    ],
  ])('%j does nothing and ends with %i', async (args, code, why) => {
    expect(await run(args)).toMatchObject({ code, out: '', err: expect.stringContaining(why) });
  });

  test('bulk changes all that are meant, and ends when that is done', async () => {
    const userId = newUser();
    await start(userId);
    await start(userId, { projectId: 'site' });
    const [job] = documents(
      await run(['bulk', '--action', 'end', '--user', userId, '--reason', 'left', '--yes', '--json']),
    );
    expect(job).toMatchObject({ state: 'finished', counts: { examined: 2, changed: 2, failed: 0 } });
    expect((await run(['bulk', '--job', job.jobId])).out).toMatch(/^changed +2$/m);
  });

  test('sessions without a user are all current ones, or those that the options say', async () => {
    const project = `of ${newUser()}`;
    const [ada, bob] = [newUser(), newUser()];
    const leased = { owner: { ...cloudDebug, instance: 'vm-7' }, lease: { seconds: 300 } };
    const { session } = (await start(ada, { projectId: project })).body;
    await start(bob, { projectId: project, ...leased });
    await until(async () => documents(await run(['sessions', '--project', project, '--json'])).length === 2);
    const shown = lines(await run(['sessions', '--project', project, '--sort', 'oldest']));
    expect(shown[0]).toMatch(/^session {31}user +project +status +owner +started +lease until +advice$/);
    expect(shown[1]).toMatch(
      new RegExp(`^${session.sessionId}  ${ada} +${project}  active  cloud-dev +\\d{4}`),
    );
    const column = shown[0]!.indexOf('owner');
    expect([shown[1], shown[2]].map((line) => line?.slice(column).split('  ')[0])).toEqual([
      'cloud-dev',
      'cloud-debug / vm-7',
    ]);
    const idsOf = async (...options: string[]) =>
      documents(await run(['sessions', '--project', project, '--json', ...options])).map(
        ({ scope }) => scope.userId,
      );
    expect(await idsOf('--environment', 'cloud-debug', '--instance', 'vm-7')).toEqual([bob]);
    expect(await idsOf('--lease-within', '10m')).toEqual([bob]);
    expect(await idsOf('--limit', '1', '--sort', 'newest')).toEqual([bob]);
    expect(await run(['sessions', '--project', project, '--older-than', '1d'])).toMatchObject({
      out: 'there is no such session\n',
      code: 0,
    });
    expect(await run(['sessions', ada, '--status', 'active'])).toMatchObject({ code: 2 });
    expect(await run(['sessions', '--status', 'ended'])).toMatchObject({ code: 2 });
  });

  test('stats tells how much there is and who is out of sync', async () => {
    const userId = newUser();
    const { session } = (await start(userId)).body;
    await start(userId, { owner: cloudDebug });
    const reports = [{ consumer: 'cli-test', userId, sessionId: session.sessionId }];
    await ask(`${service.url}/v1/reports`, { body: reports });
    const row = new RegExp(`^cli-test +${userId} +default +out-of-sync `, 'm');
    await until(async () => row.test((await run(['stats', '--consumer', 'cli-test'])).out));
    const { out } = await run(['stats']);
    expect(out).toMatch(/^events +\d+ in 16 partitions$/m);
    expect(out).toMatch(/^current +\d+ sessions?: \d+ active/m);
    expect(out).toMatch(/^replicas +1$/m);
  });
});

describe('tail', () => {
  test('shows the last events of all partitions in the order of their times', async () => {
    for (let count = 0; count < 12; count++) await start(newUser());
    const shown = documents(await run(['tail', '--lines', '5', '--json']));
    expect(shown).toHaveLength(5);
    expect(shown.map(({ time }) => time)).toEqual(shown.map(({ time }) => time).sort());
    const table = lines(await run(['tail']));
    expect(table[0]).toMatch(/^position +time +user +project +event +session +epoch +what$/);
    expect(table).toHaveLength(11);
  });

  test('begins after any position', async () => {
    const { position } = (await start(newUser())).body;
    const { partition, sequence } = position;
    const [first] = documents(await run(['tail', '--json', '--from', `${partition}:${sequence - 1}`]));
    expect(first).toMatchObject({ partition, sequence: String(sequence).padStart(16, '0') });
    // What ends by itself meanwhile is one more.
    const count = async () => documents(await run(['replay', '--json']))[0].events;
    const before = await count();
    const all = documents(await run(['tail', '--from', 'start', '--json']));
    expect(all.length).toBeGreaterThanOrEqual(before);
    expect(all.length).toBeLessThanOrEqual(await count());
    const some = documents(await run(['tail', '--from', 'start', '--lines', '3', '--json']));
    expect(some).toEqual(all.slice(0, 3));
  });

  test('says so when there is no such position', async () => {
    const none = await run(['tail', '--from', '16:1']);
    expect(none).toEqual({ code: 1, out: '', err: 'the ledger has the partitions 0 to 15\n' });
    const early = await run(['tail', '--follow', '--from', '3:999999999']);
    expect([early.code, early.out]).toEqual([1, '']);
    expect(early.err).toMatch(/^partition 3 ends after \d+\n$/);
  });

  test('follows until it is told to stop, and ends with 0', async () => {
    const child = spawn(process.execPath, [main, 'tail', '--follow', '--lines', '1', '--json'], {
      env: { PATH: process.env.PATH, LEDGER_URL: service.url },
    });
    const out: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => out.push(line));
    await until(() => out.length > 0);
    const userId = newUser();
    await start(userId);
    await until(() => out.some((line) => line.includes(userId)));
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

/** Read models come later: waits for them. */
async function untilProjected({ partition, sequence }: CommandBody['position']): Promise<void> {
  await ask(`${service.url}/v1/sessions?userId=nobody&atLeast=${partition}:${sequence}`);
  let positions: number[] = [];
  const end = performance.now() + 20_000;
  while ((positions[partition] ?? 0) < sequence && performance.now() < end) {
    positions = (await ask<{ projection: { positions: number[] } }>(`${service.url}/v1/stats`)).body
      .projection.positions;
    await sleep(20);
  }
}

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

  test('rebuild makes read models that verify finds right, and that it finds wrong when they are changed', async () => {
    await start(newUser());
    const [rebuilt] = documents(await run(['rebuild', '--json']));
    expect(rebuilt.generation).toBeGreaterThan(1);
    const verified = await run(['verify', '--projections']);
    expect(verified).toMatchObject({ code: 0, err: '' });
    expect(verified.out).toMatch(/^\d+ events and \d+ rows compared\n$/);
    const client = new pg.Client({ connectionString: service.databaseUrl });
    await client.connect();
    await client.query("update ledger.projected_sessions set session = replace(session, 'active', 'ending')");
    await client.end();
    const wrong = await run(['verify', '--projections']);
    expect(wrong).toMatchObject({
      code: 4,
      err: expect.stringMatching(/^\d+ differences: rebuild the read models\n$/),
    });
    expect(wrong.out).toMatch(/^wrong row of sessions: session /);
    expect((await run(['rebuild'])).out).toMatch(/^generation \d+ is live, of \d+ events\n$/);
    expect((await run(['verify', '--projections'])).code).toBe(0);
  });

  test('archive says what it cannot do, and what it did', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'archives-'));
    const asked = (...more: string[]) => run(['archive', '--older-than', '3d', '--to', directory, ...more]);
    expect(await asked()).toMatchObject({ code: 1, err: expect.stringContaining('No relay has ever') });
    const [summary] = documents(await asked('--without-relay', '--json'));
    expect(summary).toMatchObject({ files: 0, events: 0, deleted: 0 });
    const young = await run(['archive', '--older-than', '2d', '--to', directory]);
    expect([young.code, young.err]).toEqual([1, expect.stringContaining('older than three days')]);
    const wrong = await run(['archive', '--older-than', 'soon', '--to', directory]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('has to be hours, days or weeks')]);
    const nowhere = await run([
      'archive',
      '--older-than',
      '30d',
      '--to',
      `${directory}/none`,
      '--without-relay',
    ]);
    expect([nowhere.code, nowhere.out]).toEqual([1, '']);
    await rm(directory, { recursive: true });
  });

  test('replay leads to the same digest each time', async () => {
    const replayed = async () => documents(await run(['replay', '--json']))[0]!;
    let [once, again] = [await replayed(), await replayed()];
    // A lease that lapses in between is an event more.
    for (let more = 0; more < 5 && once.events !== again.events; more++)
      [once, again] = [again, await replayed()];
    expect(again).toEqual(once);
    expect(once.state).toMatch(/^[0-9a-f]{64}$/);
    expect(once.events).toBeGreaterThan(0);
  });

  test('migrate makes a ledger, and finds nothing to do the second time', async () => {
    const database = await createDatabase();
    const env = { DATABASE_URL: database.url };
    expect((await run(['verify'], env)).err).toBe('This database has no ledger yet: migrate it.\n');
    expect((await run(['migrate'], env)).out).toMatch(/^applied 001_ledger, /);
    expect((await run(['migrate'], env)).out).toBe('the schema is up to date\n');
    expect((await run(['migrate', '--partitions', '16'], env)).out).toBe('the schema is up to date\n');
    expect(lines(await run(['migrate', '--partitions', '64'], env))).toEqual([
      'the schema is up to date',
      '--partitions 64 has no effect: this ledger was created with 16 partitions, and that cannot be changed',
    ]);
    const told = documents(await run(['migrate', '--partitions', '64', '--json'], env));
    expect(told).toEqual([{ applied: [], partitions: 16 }]);
    await database.drop();
  });
});

describe('the command line', () => {
  const wrong: [string, string[], string][] = [
    ['no command', [], 'Usage: session-ledger'],
    ['an unknown command', ['owners'], "unknown command 'owners'"],
    ['an unknown option', ['current', 'ada', '--verbose'], "unknown option '--verbose'"],
    ['a missing user', ['current'], "missing required argument 'userId'"],
    ['an argument too many', ['current', 'ada', 'captions', 'more'], 'too many arguments'],
    ['a URL that is none', ['current', 'ada', '--url', 'ledger:4600'], 'an address that begins with http'],
    ['a database that is none', ['verify', '--database-url', 'mysql://x'], 'has to begin with postgres'],
    ['a position that is none', ['tail', '--from', '3-120'], 'partition:sequence'],
    ['no partitions', ['migrate', '--partitions', '0'], 'from 1 to 4096'],
  ];
  test.each(wrong)('with %s ends with 2', async (_, args, said) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
  });

  test.each([
    [['verify', '--database-url', 'mysql://u:s3cret@h/db'], {}],
    [['verify'], { DATABASE_URL: 'u:s3cret@h/db' }],
    [['current', 'ada', '--url', 'postgres://u:s3cret@h/db'], {}],
    [['postgres://u:s3cret@h/db'], {}],
  ])('tells no password of what it cannot use: %j', async (args, env) => {
    const { code, err } = await run(args, env);
    expect(code).toBe(2);
    expect(err).toContain('u:…@h');
    expect(err).not.toContain('s3cret');
  });

  test('without a database says what is missing', async () => {
    const { code, err } = await run(['verify'], { DATABASE_URL: undefined });
    expect([code, err]).toEqual([2, expect.stringContaining("'--database-url <url>' not specified")]);
  });

  test('ends with 1 when nobody answers, without a trace', async () => {
    const nobody = await run(['current', 'ada', '--url', `http://127.0.0.1:${await freePort()}`]);
    expect(nobody).toMatchObject({ code: 1, out: '' });
    expect(nobody.err).toMatch(/^no answer from the ledger .*ECONNREFUSED.*\nIs the ledger running\?.*\n$/);
    const noDatabase = await run(['verify', '--database-url', 'postgres://127.0.0.1:1/x']);
    expect(noDatabase).toMatchObject({ code: 1, out: '' });
    expect(noDatabase.err).toMatch(/^Postgres cannot be reached: .*ECONNREFUSED.*\n$/);
    const wrong = new URL(service.databaseUrl);
    wrong.password = 's3cret';
    const refused = await run(['verify', '--database-url', wrong.href]);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(
      /^The password in --database-url shows .*DATABASE_URL_FILE.*\nPostgres refuses: password authentication failed for user .*\n$/,
    );
    expect(refused.err).not.toContain('s3cret');
    const fromEnvironment = await run(['verify'], { DATABASE_URL: wrong.href });
    expect(fromEnvironment.err).toMatch(/^Postgres refuses: .*\n$/);
  });

  test('helps with every command, by examples', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    const commands = [...help.out.matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, name]) => name as string);
    expect(commands).toContain('history');
    for (const command of commands) {
      const { code, out } = await run([command, '--help']);
      expect([code, out]).toEqual([0, expect.stringContaining(`Examples:\n  session-ledger ${command}`)]);
      expect(out).toContain('Exit codes:\n  0  done\n');
    }
  });

  test('tells its version', async () => {
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
