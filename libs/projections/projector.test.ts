import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerWriter } from '#log';
import { openClient, query } from '#postgres';
import { startProxy } from '../../test/support/proxy.js';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { sendAtRandom } from '../log/testing/random-callers.js';
import { newPlace, rotate, sessionOf, start } from '../log/testing/submissions.js';
import { statement } from './statements.js';
import { step } from './step.js';
import { foldedRows, projectAll, startProjector, storedRows, untilProjected } from './testing/projections.js';

let ledger: TestLedger;
let writer: LedgerWriter;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
});
afterEach(() => ledger.close());

const places = (count: number) => Array.from({ length: count }, () => newPlace(ledger.partitions));
const atRandom = (turns: number, seed: number, stop = () => false) =>
  sendAtRandom({ writers: [writer, ledger.writer()], places: places(8), callers: 12, turns, seed, stop });

test.each([1, 2, 3])('random histories: the rows are what the log folds to (%#)', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  await atRandom(60, seed);
  await projectAll(ledger, 7);
  expect({ seed, rows: await storedRows(ledger) }).toEqual({ seed, rows: await foldedRows(ledger) });
});

test('two projectors at once, while writers go on: each event is projected once', async () => {
  const projected: number[] = [];
  const onProjected = (events: number) => void projected.push(events);
  const both = [await startProjector(ledger, { onProjected }), await startProjector(ledger, { onProjected })];
  await atRandom(150, 5);
  await untilProjected(ledger);
  await Promise.all(both.map((one) => one.close()));
  expect(await storedRows(ledger)).toEqual(await foldedRows(ledger));
  const { rows } = await ledger.pool.query('select sum(sequence)::int as events from ledger.heads');
  expect(projected.reduce((sum, events) => sum + events, 0)).toBe(rows[0].events);
});

test('what another replica writes is projected, too', async () => {
  await startProjector(ledger);
  const session = sessionOf(await writer.submit(start(newPlace(ledger.partitions))));
  await writer.submit(rotate(session));
  await untilProjected(ledger);
  expect((await storedRows(ledger)).sessions).toHaveLength(2);
});

test('connections that are lost in the middle cost nothing but time', async () => {
  let over = false;
  const faults: unknown[] = [];
  await startProjector(ledger, {
    database: { url: `${ledger.database.url}?application_name=projector`, role: ledger.role },
    onFault: (error) => void faults.push(error),
  });
  const sending = atRandom(10_000, 3, () => over);
  for (const end = performance.now() + 20_000; faults.length < 3 && performance.now() < end; ) {
    await sleep(5);
    await ledger.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'projector' and state <> 'idle'`,
    );
  }
  over = true;
  await sending;
  await untilProjected(ledger);
  expect(faults.length).toBeGreaterThanOrEqual(3);
  expect(await storedRows(ledger)).toEqual(await foldedRows(ledger));
});

test('one that hangs with the lock in its hand is taken over from when its transaction is ended', async () => {
  const hanging = await openClient({ url: ledger.database.url, role: ledger.role, statementMs: 500 });
  ledger.onClose(() => hanging.end().catch(() => {}));
  await hanging.query('begin');
  const held = await query(hanging, statement('lock_projection'), [[0], 1]);
  expect(held.rows).toEqual([{ partition: 0, sequence: 0 }]);
  await startProjector(ledger);
  const places = [0, 1].map((partition) => newPlace(ledger.partitions, partition));
  await Promise.all(places.map((place) => writer.submit(start(place))));
  await untilProjected(ledger, [1]);
  expect((await storedRows(ledger)).sessions).toMatchObject([{ partition: 1 }]);
  await untilProjected(ledger);
});

test('while commands take all of the time it rests after a page; when they pause it catches up', async () => {
  let looks = 0;
  let paused = false;
  const workedMs = () => (paused ? looks : ++looks) * 1e9;
  const pages: number[] = [];
  const projector = await startProjector(ledger, {
    share: 1e-6,
    workedMs,
    onProjected: (events) => void pages.push(events),
  });
  await writer.submit(start(newPlace(ledger.partitions, 0)));
  await untilProjected(ledger, [0]);
  await writer.submit(start(newPlace(ledger.partitions, 1)));
  const seen = looks;
  const hasLooked = () => projector.status()[1]?.behind === 1 && looks >= seen + 3;
  for (const end = performance.now() + 10_000; !hasLooked() && performance.now() < end; ) await sleep(5);
  expect({ pages, hasLooked: hasLooked() }).toEqual({ pages: [1], hasLooked: true });
  paused = true;
  await untilProjected(ledger);
});

test('a page costs what it holds, not what lies beside it, also by plans that were made when all was empty', async () => {
  const client = await openClient({ url: ledger.database.url, role: ledger.role });
  ledger.onClose(() => client.end());
  const project = () => step(client, 1, [{ partition: 0, most: 1_000 }]);
  const fetched = async () => {
    await client.query('select pg_stat_force_next_flush()');
    const { rows } = await ledger.pool.query(
      `select sum(idx_tup_read)::int as rows from pg_stat_user_indexes
        where schemaname = 'ledger' and relname in ('projected_sessions', 'projected_transitions')`,
    );
    return rows[0].rows;
  };
  const session = sessionOf(await writer.submit(start(newPlace(ledger.partitions, 0))));
  await project();
  await writer.submit(rotate(session));
  await project();
  const many = Array.from({ length: 900 }, () => newPlace(ledger.partitions, 0));
  const [some] = (await Promise.all(many.map((place) => writer.submit(start(place))))).map(sessionOf);
  await project();
  const before = await fetched();
  await writer.submit(rotate(some!));
  expect((await project()).get(0)).toMatchObject({ events: 1 });
  expect((await fetched()) - before).toBeLessThan(20);
});

test('what Postgres refuses stops its partition alone, though it comes in one page with others', async () => {
  await writer.submit(start(newPlace(ledger.partitions, 0)));
  await insertForeignEvent(0, 2, ['"sessionId":"', '"sessionId":"not-'], ['"rootId":"', '"rootId":"not-']);
  await writer.submit(start(newPlace(ledger.partitions, 1)));
  const faults: unknown[] = [];
  const projector = await startProjector(ledger, { onFault: (error) => void faults.push(error) });
  await untilProjected(ledger, [1]);
  for (const end = performance.now() + 5_000; faults.length === 0 && performance.now() < end; )
    await sleep(5);
  const [stopped, running] = projector.status();
  expect(stopped).toEqual({
    ...{ partition: 0, sequence: 0, behind: 2 },
    why: 'Postgres refuses what was projected',
  });
  expect(running).toEqual({ partition: 1, sequence: 1, behind: 0 });
});

describe('a partition that Postgres had refused', () => {
  const hidden = 'alter table ledger.projected_sessions';

  /** A projector that has stopped at the first event of partition 0. */
  async function stopped() {
    await ledger.pool.query(`${hidden} add constraint refused check (partition <> 0)`);
    await writer.submit(start(newPlace(ledger.partitions, 0)));
    const projector = await startProjector(ledger, { onFault: () => undefined });
    const part = () => projector.status()[0];
    await becomes(() => part()?.why !== undefined);
    expect(part()).toMatchObject({ sequence: 0, why: 'Postgres refuses what was projected' });
    await ledger.pool.query(`${hidden} drop constraint refused`);
    return part;
  }
  const well = { partition: 0, sequence: 1, behind: 0 };

  test('is told as well once it goes on', async () => {
    const part = await stopped();
    await untilProjected(ledger, [0]);
    await becomes(() => part()?.sequence === 1);
    expect(part()).toEqual(well);
  });

  test('is told as well once another replica has projected what it refused', async () => {
    const part = await stopped();
    await projectAll(ledger, 1);
    await becomes(() => part()?.sequence === 1);
    expect(part()).toEqual(well);
  });
});

test('a connection that does not answer any more is given up for another one', async () => {
  const { hostname: host, port } = new URL(ledger.database.url);
  const proxy = await startProxy({ target: { host, port: Number(port) } });
  const faults: unknown[] = [];
  await startProjector(ledger, {
    database: { url: proxy.reroute(ledger.database.url), role: ledger.role, statementMs: 200 },
    onFault: (error) => void faults.push(error),
  });
  await writer.submit(start(newPlace(ledger.partitions)));
  await untilProjected(ledger);
  proxy.delay(60_000);
  await becomes(() => faults.length > 0);
  proxy.delay(0); // for connections that come: answers of the old one stand in line
  await writer.submit(start(newPlace(ledger.partitions)));
  await untilProjected(ledger);
  ledger.onClose(() => proxy.close());
});

async function becomes(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !isSo() && performance.now() < end; ) await sleep(5);
  expect(isSo()).toBe(true);
}

test('an event of a newer version stops its partition, loudly; the others go on, and nothing is skipped', async () => {
  const [first, second] = [newPlace(ledger.partitions, 0), newPlace(ledger.partitions, 1)];
  await writer.submit(start(first));
  const poison = await insertForeignEvent(0, 2, ['SessionStarted', 'SessionTeleported']);
  const faults: Error[] = [];
  const projector = await startProjector(ledger, { onFault: (error) => void faults.push(error as Error) });
  await writer.submit(start(second));
  await untilProjected(ledger, [1]);
  for (const end = performance.now() + 5_000; faults.length === 0 && performance.now() < end; )
    await sleep(5);
  const [stopped, running] = projector.status();
  expect(stopped).toMatchObject({ sequence: 1, behind: 1, why: expect.stringContaining(`event ${poison}`) });
  expect(running).toEqual({ partition: 1, sequence: 1, behind: 0 });
  expect(faults[0]?.message).toMatch(/type that this version does not know: run a newer version/);
  expect((await storedRows(ledger)).sessions).toHaveLength(2);
});

test('a hole in the log is no end of it', async () => {
  const place = newPlace(ledger.partitions, 0);
  await writer.submit(start(place));
  await insertForeignEvent(0, 3, ['SessionStarted', 'SessionTeleported']);
  const faults: Error[] = [];
  await startProjector(ledger, { onFault: (error) => void faults.push(error as Error) });
  for (const end = performance.now() + 5_000; faults.length === 0 && performance.now() < end; )
    await sleep(5);
  expect(faults.map(({ message }) => message)).toEqual(['event 0:2: it is missing in the log']);
  expect((await storedRows(ledger)).sessions).toHaveLength(1);
});

/** What another program might have appended: a copy of the partition's last event, with texts replaced. */
async function insertForeignEvent(
  partition: number,
  sequence: number,
  ...changes: [from: string, to: string][]
): Promise<string> {
  const { rows } = await ledger.pool.query(
    "select convert_from(bytes, 'UTF8') as text from ledger.events where partition = $1 order by sequence desc limit 1",
    [partition],
  );
  const text = changes.reduce((changed, [from, to]) => changed.replace(from, to), rows[0].text);
  await ledger.pool.query(
    `insert into ledger.events (partition, sequence, version, epoch, at, type, scope_id, scope_key, bytes)
     select partition, $2::bigint, version + 1, epoch, at, 'SessionTeleported', scope_id, scope_key, convert_to($3, 'UTF8')
       from ledger.events where partition = $1 order by sequence desc limit 1`,
    [partition, sequence, text],
  );
  await ledger.pool.query('update ledger.heads set sequence = $2 where partition = $1', [
    partition,
    sequence,
  ]);
  return `${partition}:${sequence}`;
}
