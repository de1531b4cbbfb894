import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fenceSql, LedgerClient, type OwnedSession } from '#client';
import { execute } from '../support/database.js';
import { type NodeProcess, spawnNode } from '../support/process.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { cloudDebug, newUser } from '../support/sessions.js';

const LEASE_SECONDS = 2;
/** Longer than the lease, and than the ledger takes to notice that it is over. */
const SLEEP_MS = 6_000;
const LONG_MS = 20_000;
const scriptOf = (name: string) => fileURLToPath(new URL(`../support/processes/${name}.js`, import.meta.url));

let service: Service;
let ledger: LedgerClient;
let database: string;
let sleeper: NodeProcess;
let asleepSince: number;
const sleepersUser = newUser();

/** One owner is stopped in the middle of a write, and sleeps while the other tests run. */
beforeAll(async () => {
  service = await startService();
  ledger = new LedgerClient({ url: service.url });
  database = await freshDatabase();
  await execute(database, 'create table documents (id int primary key, text text, session_epoch bigint)');
  await execute(database, "insert into documents values (1, 'empty', null)");
  sleeper = spawnNode(scriptOf('owner'), { args: [service.url, database, sleepersUser, `${LEASE_SECONDS}`] });
  await sleeper.waitForLine(/^written 1/, LONG_MS);
  sleeper.child.kill('SIGUSR2');
  await sleeper.waitForLine(/^asleep/, LONG_MS);
  asleepSince = performance.now();
}, 60_000);
afterAll(() => ledger.close());

test('each process of a bridge has an automatic session of its own', async () => {
  const processes = [1, 2].map(() => spawnNode(scriptOf('automatic'), { args: [service.url] }));
  const ids = await Promise.all(
    processes.map(async ({ exited, lines, errors }) => {
      expect(await exited).toEqual({ code: 0, signal: null });
      expect(errors).toEqual([]);
      const id = /^automatic ([0-9a-f-]{36})$/.exec(lines[0] ?? '')?.[1];
      expect(lines[1]).toBe(`again ${id} 1`);
      return id as string;
    }),
  );
  expect(new Set(ids).size).toBe(2);
  const statuses = await Promise.all(ids.map(async (id) => (await ledger.session(id)).status));
  expect(statuses).toEqual(['released', 'released']);
});

test('SIGTERM releases what a process holds, and ends it', async () => {
  const owner = spawnNode(scriptOf('terminated'), { args: [service.url] });
  const started = await owner.waitForLine(/^started/, LONG_MS);
  expect(await owner.kill('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
  const found = await ledger.session(started.split(' ')[1] as string);
  expect([found.status, found.expiresAt]).toEqual(['released', undefined]);
});

test('an owner that was stopped for longer than its lease begins nothing when it wakes, and what it had begun is fenced off', async () => {
  await lapseOf(sleepersUser);
  const next = await ledger.start({ userId: sleepersUser, owner: cloudDebug, lease: { seconds: 30 } });
  expect(next.epoch).toBe(3);
  expect(await write(next)).toBe(1);

  await pause(asleepSince + SLEEP_MS - performance.now());
  expect(sleeper.lines.at(-1)).toBe('asleep');
  sleeper.child.kill('SIGCONT');
  await sleeper.waitForLine(/^over/, LONG_MS);
  const awake = sleeper.lines.slice(sleeper.lines.indexOf('awake'));
  expect(awake.filter((line) => line.startsWith('begun'))).toEqual([]);
  expect(awake[1]).toBe('not begun lease-over');
  expect(awake.filter((line) => line.startsWith('lost'))).toEqual([
    expect.stringMatching(/^lost (lapsed|superseded)$/),
  ]);
  expect(awake.filter((line) => line.startsWith('written'))).toEqual(['written 0']);
  expect(sleeper.errors).toEqual([]);
  expect(await sleeper.exited).toEqual({ code: 0, signal: null });

  expect((await execute(database, 'select text, session_epoch::int from documents')).rows).toEqual([
    { text: 'cloud-debug', session_epoch: 3 },
  ]);
  expect([next.state, await write(next)]).toEqual(['held', 1]);
  expect(await ledger.session(next.sessionId)).toMatchObject({ status: 'active', epoch: 3 });
}, 100_000);

/** Waits at the ledger until the owner's lease is over. */
async function lapseOf(userId: string): Promise<void> {
  for (let after = 1, status = ''; status !== 'released'; ) {
    const query = { userId, wait: 30, after };
    const seen = await ledger.call('currentSession', { query }, { attemptMs: 40_000, deadlineMs: 40_000 });
    if (!seen || !('revision' in seen)) throw new Error('the lease did not lapse within 30 s');
    ({ status, revision: after } = seen);
  }
}

/** A guarded write; the number of rows that it changed. */
function write(session: OwnedSession): Promise<number | null> {
  return session.run(async ({ epoch }) => {
    const { set, where, value } = fenceSql(epoch, 'session_epoch', 2);
    const statement = `update documents set text = $1, ${set} where id = 1 and ${where}`;
    return (await execute(database, statement, ['cloud-debug', value])).rowCount;
  });
}
