import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, type RunningPostgres, startPostgres } from '#dev-stack';
import { hasUnawaitedStandbys } from '#postgres';
import { ask, type Told } from './testing/answers.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { readLog } from './testing/stored-log.js';
import { again, keyed, newPlace, start } from './testing/submissions.js';

/** A Postgres of its own, which is told to wait for a standby that does not exist. */
let directory: string;
let postgres: RunningPostgres;
let ledger: TestLedger;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'session-ledger-replication-'));
  postgres = await startPostgres({
    ...{ dataDir: directory, port: await freePort(), superuser: true },
    log: () => undefined,
  });
  ledger = await openTestLedger(4, postgres);
});
afterAll(async () => {
  await setStandby('');
  await ledger.close();
  await postgres.stop();
  await rm(directory, { recursive: true });
});
afterEach(() => setStandby(''));

async function setStandby(name: string): Promise<void> {
  await ledger.pool.query(`alter system set synchronous_standby_names = '${name}'`);
  await ledger.pool.query('select pg_reload_conf()');
  const isSet = async () => (await ledger.pool.query('show synchronous_standby_names')).rows[0];
  while ((await isSet()).synchronous_standby_names !== name)
    await new Promise((done) => setTimeout(done, 10));
}

test('standbys that nobody awaits are noticed, and those that commits wait for are not', async () => {
  const { pool } = ledger;
  expect(await hasUnawaitedStandbys(pool)).toBe(false);
  // As a standby connects; one that receives nothing yet counts as well.
  const config = { connectionString: postgres.url, replication: 'true' } as pg.ClientConfig;
  const standby = new pg.Client(config);
  await standby.connect();
  expect(await hasUnawaitedStandbys(pool)).toBe(true);
  expect(await hasUnawaitedStandbys(ledger.servicePool(1))).toBe(true);
  await setStandby('any_name');
  expect(await hasUnawaitedStandbys(pool)).toBe(false);
  await setStandby('');
  await standby.end();
});

const isStored = async ({ submission }: Told) =>
  (await readLog(ledger.pool)).some(({ document }) => document.commandid === submission.commandId);

/** Ends the waits for the standby as long as `asked` has no answer. */
async function endingWaits(how: () => 'cancel' | 'terminate', asked: Promise<Told>): Promise<Told> {
  let answered = false;
  const telling = asked.finally(() => {
    answered = true;
  });
  while (!answered) {
    await ledger.pool.query(
      `select pg_${how()}_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`,
    );
    await new Promise((done) => setTimeout(done, 10));
  }
  return telling;
}

test('a commit whose wait for the standby was cancelled is an unknown outcome, and so is its repetition', async () => {
  const writer = ledger.writer();
  const sent = keyed(start(newPlace(ledger.partitions)), 'k');
  await setStandby('missing');
  const told = await endingWaits(() => 'cancel', ask(writer, sent));
  expect(told.answer).toMatchObject({ code: 'unknown-outcome' });
  expect(await isStored(told)).toBe(true);
  const repeated = await endingWaits(() => 'cancel', ask(writer, again(sent)));
  expect(repeated.answer).toMatchObject({ code: 'unknown-outcome' });
  await setStandby('');
  expect((await ask(writer, again(sent))).answer).toMatchObject({ outcome: 'started', replayed: true });
});

test('while commits wait for a standby the writer says that it is held up, and no longer once they do not', async () => {
  const faults: unknown[] = [];
  const writer = ledger.writer({ onFault: (error) => void faults.push(error) });
  expect(writer.heldUp).toBe(false);
  await setStandby('missing');
  const becomes = async (heldUp: boolean) => {
    for (const end = performance.now() + 10_000; writer.heldUp !== heldUp && performance.now() < end; )
      await new Promise((done) => setTimeout(done, 20));
    expect(writer.heldUp).toBe(heldUp);
  };
  const waiting = ask(writer, start(newPlace(ledger.partitions)));
  await becomes(true);
  // Its sender is told after some seconds; the next one would wait as well.
  expect((await waiting).answer).toMatchObject({ code: 'unknown-outcome' });
  expect(writer.heldUp).toBe(true);
  await setStandby('');
  expect((await ask(writer, start(newPlace(ledger.partitions)))).answer).toMatchObject({
    outcome: 'started',
  });
  expect(writer.heldUp).toBe(false);
});

test('so is one whose connection was lost while it waited for the standby', async () => {
  const faults: unknown[] = [];
  const writer = ledger.writer({ settleMs: 500, onFault: (error) => void faults.push(error) });
  await setStandby('missing');
  const told = await endingWaits(() => 'terminate', ask(writer, start(newPlace(ledger.partitions))));
  expect(told.answer).toMatchObject({ code: 'unknown-outcome' });
  expect(await isStored(told)).toBe(true);
  expect(faults.length).toBeGreaterThan(0);
});

test('and one that was found again, by a look whose own wait for the standby was cancelled', async () => {
  const faults: unknown[] = [];
  const writer = ledger.writer({ settleMs: 20_000, onFault: (error) => void faults.push(error) });
  await setStandby('missing');
  const asked = ask(writer, start(newPlace(ledger.partitions)));
  const told = await endingWaits(() => (faults.length === 0 ? 'terminate' : 'cancel'), asked);
  expect(told.answer).toMatchObject({ code: 'unknown-outcome' });
  expect(await isStored(told)).toBe(true);
  expect(faults).toHaveLength(1); // the connection that was lost
});

describe('what hangs while the standby is missing is bounded, however often it is tried', () => {
  const hanging = async () => {
    const { rows } = await ledger.pool.query(
      "select count(*)::int as count from pg_stat_activity where wait_event = 'SyncRep'",
    );
    return rows[0].count;
  };

  test('by one connection of each lane', async () => {
    const options = { lanes: 2, deadlineMs: 400, settleMs: 100, database: { statementMs: 100 } };
    const writer = ledger.writer({ ...options, onFault: () => {} });
    await setStandby('missing');
    const codes: unknown[] = [];
    for (const end = performance.now() + 8_000; performance.now() < end; ) {
      // One partition after the other: each would have a connection of its own hang.
      const place = newPlace(ledger.partitions, codes.length % 4);
      const told = [await ask(writer, start(place))];
      codes.push(...told.map(({ answer }) => 'code' in answer && answer.code));
    }
    expect(await hanging()).toBeLessThanOrEqual(2);
    expect(new Set(codes)).not.toContain(false);
    await setStandby('');
    const next = async () => (await ask(writer, start(newPlace(ledger.partitions)))).answer;
    for (const end = performance.now() + 5_000; 'code' in (await next()) && performance.now() < end; );
    expect(await next()).toMatchObject({ outcome: 'started' });
  });

  test('by the connections of a pool', async () => {
    const pool = ledger.servicePool(2, { statementMs: 100, connectMs: 300 });
    const write = (partition = 0) =>
      pool.query('update ledger.heads set at = at where partition = $1', [partition]);
    await write();
    await setStandby('missing');
    for (const end = performance.now() + 5_000; performance.now() < end; ) {
      await Promise.allSettled([0, 1, 2, 3].map(write));
    }
    expect(await hanging()).toBeLessThanOrEqual(2);
    await setStandby('');
    let isDone = false;
    for (const end = performance.now() + 5_000; !isDone && performance.now() < end; ) {
      isDone = await write().then(
        () => true,
        () => false,
      );
    }
    expect(isDone).toBe(true);
  });
});
