import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LedgerWriter } from '#log';
import { spawnNode } from '../../test/support/process.js';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { sendAtRandom } from '../log/testing/random-callers.js';
import { newPlace, type Place, rotate, sessionOf, start } from '../log/testing/submissions.js';
import { ReadModels } from './read-models.js';
import { type RebuildProgress, rebuild } from './rebuild.js';
import { foldedRows, projectAll, startProjector, storedRows, untilProjected } from './testing/projections.js';

const script = fileURLToPath(new URL('./testing/rebuild-process.js', import.meta.url));

let ledger: TestLedger;
let writer: LedgerWriter;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
});
afterEach(() => ledger.close());

const database = () => ({ url: ledger.database.url, role: ledger.role });
const generations = async () =>
  (await ledger.pool.query('select generation, state from ledger.projection_generations order by 1')).rows;
const rowsOf = async (generation: number) => {
  const { rows } = await ledger.pool.query(
    `select (select count(*) from ledger.projected_sessions where generation = $1)
          + (select count(*) from ledger.projected_transitions where generation = $1)
          + (select count(*) from ledger.projected_current where generation = $1)
          + (select count(*) from ledger.projection_positions where generation = $1) as rows`,
    [generation],
  );
  return rows[0].rows;
};
const chainOf = async (place: Place, length: number) => {
  let session = sessionOf(await writer.submit(start(place)));
  for (let n = 1; n < length; n++) session = sessionOf(await writer.submit(rotate(session)));
};

/** Reads for as long as `work` takes; says when a reader was taken back, or found less than before. */
async function takenBack(place: Place, work: () => Promise<unknown>): Promise<string[]> {
  const models = new ReadModels(ledger.servicePool(2));
  const wrong: string[] = [];
  let over = false;
  let seen = { reached: 0, sessions: 0, reads: 0 };
  const reading = (async () => {
    while (!over) {
      const { reached, rows } = await models.sessions(place, { limit: 500 });
      if (reached < seen.reached) wrong.push(`position went from ${seen.reached} to ${reached}`);
      if (rows.length < seen.sessions) wrong.push(`${rows.length} sessions after ${seen.sessions}`);
      seen = { reached, sessions: rows.length, reads: seen.reads + 1 };
    }
  })();
  await work().finally(() => {
    over = true;
  });
  await reading;
  if (seen.reads < 10) wrong.push(`only ${seen.reads} reads`);
  return wrong;
}

test('a rebuild beside the live one swaps without a gap, while commands come in', async () => {
  const place = newPlace(ledger.partitions);
  await startProjector(ledger);
  await chainOf(place, 50);
  await untilProjected(ledger);
  // What a projector with a fault would have left behind.
  await ledger.pool.query("update ledger.projected_transitions set transition = '{}'");
  let over = false;
  const places = Array.from({ length: 8 }, () => newPlace(ledger.partitions));
  const sending = sendAtRandom({
    writers: [writer],
    places,
    callers: 4,
    turns: 1_000,
    seed: 1,
    stop: () => over,
  });
  const heard: RebuildProgress[] = [];
  const onProgress = (progress: RebuildProgress) => void heard.push(progress);
  expect(await takenBack(place, () => rebuild({ database: database(), onProgress }))).toEqual([]);
  over = true;
  await sending;
  await untilProjected(ledger);
  expect(await generations()).toEqual([{ generation: 2, state: 'live' }]);
  expect(await rowsOf(1)).toBe(0);
  expect(await storedRows(ledger)).toEqual(await foldedRows(ledger));
  // Where nothing came in meanwhile, swapping takes no step of its own.
  expect(heard.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['building', 'dropping']));
  expect(heard.at(-1)!.events).toBeGreaterThanOrEqual(50);
});

test('killed with -9 at any moment it is started again, and the answers are as before', async () => {
  const place = newPlace(ledger.partitions);
  await chainOf(place, 100);
  const places = Array.from({ length: 2_000 }, () => newPlace(ledger.partitions));
  for (let times = 0; times < 4; times++) await Promise.all(places.map((one) => writer.submit(start(one))));
  await projectAll(ledger, 2_000);
  const before = await storedRows(ledger);
  const wrong = await takenBack(place, async () => {
    for (const line of [/^building \d{4}/, /^building ([89]|1\d)\d{3}$/, /^dropping/]) {
      const killed = spawnNode(script, { args: [ledger.database.url] });
      await killed.waitForLine(line, 20_000);
      await killed.kill('SIGKILL');
      expect(await storedRows(ledger)).toEqual(before);
    }
  });
  expect(wrong).toEqual([]);
  await rebuild({ database: database() });
  expect(await storedRows(ledger)).toEqual(before);
  const left = await generations();
  expect(left).toEqual([{ generation: expect.any(Number), state: 'live' }]);
  for (let generation = 1; generation < left[0].generation; generation++)
    expect(await rowsOf(generation)).toBe(0);
});

test('of two rebuilds at once the second takes over, and the first says so', async () => {
  const places = Array.from({ length: 200 }, () => newPlace(ledger.partitions));
  await Promise.all(places.map((one) => writer.submit(start(one))));
  // A row that the first one is going to write holds it up in the middle of a page.
  const hurdle = await ledger.pool.connect();
  await hurdle.query('begin');
  await hurdle.query(
    `insert into ledger.projected_sessions (partition, generation, session_id, scope_id, started, sequence, session)
     select partition, 2, session_id, scope_id, 1, 1, '{"status":"ended"}' from ledger.sessions limit 1`,
  );
  const first = rebuild({ database: database() });
  const failed = expect(first).rejects.toThrow('another rebuild has taken over');
  await untilWaiting(1);
  const second = rebuild({ database: database() });
  await untilWaiting(2);
  await hurdle.query('rollback');
  hurdle.release();
  await failed;
  await second;
  expect(await generations()).toEqual([{ generation: 3, state: 'live' }]);
  expect(await storedRows(ledger)).toEqual(await foldedRows(ledger));
});

/** Waits until so many connections wait for a lock. */
async function untilWaiting(connections: number): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await sleep(10)) {
    const { rows } = await ledger.pool.query(
      "select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if (rows[0].waiting === connections) return;
  }
  throw new Error(`no ${connections} connections wait for a lock`);
}

test('one that is aborted leaves the live read models alone', async () => {
  await chainOf(newPlace(ledger.partitions), 3);
  await projectAll(ledger, 100);
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(rebuild({ database: database(), signal })).rejects.toThrow('enough');
  expect((await generations())[0]).toEqual({ generation: 1, state: 'live' });
  expect(await storedRows(ledger)).toEqual(await foldedRows(ledger));
});
