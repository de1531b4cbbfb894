import type { Answer } from '#api';
import type { LedgerWriter } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { brokenPromises } from '../testing/promises.js';
import { readLog } from '../testing/stored-log.js';
import {
  again,
  debug,
  dev,
  end,
  newPlace,
  placeOf,
  rotate,
  sessionOf,
  start,
} from '../testing/submissions.js';

let ledger: TestLedger;
let writer: LedgerWriter;
const batches: number[] = [];

beforeAll(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer({ onBatch: ({ length }) => void batches.push(length) });
});
beforeEach(() => void batches.splice(0));
afterEach(async () => expect(await brokenPromises(ledger.pool)).toEqual([]));
afterAll(() => ledger.close());

describe('a batch', () => {
  test.each([0, 1, 2, 3])(
    'decides the commands of a scope in the order of their arrival, in partition %i',
    async (partition) => {
      const place = newPlace(ledger.partitions, partition);
      const answers = await Promise.all(Array.from({ length: 200 }, () => writer.submit(start(place))));
      expect(answers.map((answer) => sessionOf(answer).epoch)).toEqual(answers.map((_, index) => index + 1));
      expect(batches).toEqual([200]);
    },
  );

  test('spans scopes and all partitions, and numbers each partition without a gap', async () => {
    const places = Array.from({ length: 400 }, () => newPlace(ledger.partitions));
    const before = await readLog(ledger.pool);
    const answers = await Promise.all(places.map((place) => writer.submit(start(place))));
    expect(batches).toHaveLength(2); // one for each lane
    for (const partition of [0, 1, 2, 3]) {
      const numbers = answers.flatMap(({ ...answer }) =>
        'position' in answer && answer.position.partition === partition ? [answer.position.sequence] : [],
      );
      const known = before.filter((event) => event.partition === partition).length;
      expect(numbers).toEqual(numbers.map((_, index) => known + index + 1));
    }
  });

  test.each([
    [31, [31]],
    [32, [16, 16]],
  ])('is shared by few commands, whatever their partition, not by many: %d', async (length, sizes) => {
    const places = Array.from({ length }, (_, index) => newPlace(ledger.partitions, index % 4));
    await Promise.all(places.map((place) => writer.submit(start(place))));
    expect(batches).toEqual(sizes);
  });

  test('keeps the order of arrival in every partition while few become many and many few', async () => {
    const places = [0, 1, 2, 3].map((partition) => newPlace(ledger.partitions, partition));
    const answers = places.map((): Promise<Answer>[] => []);
    for (const size of [1, 3, 300, 2, 150, 1, 40, 500, 5, 31, 32, 127, 128, 1, 1, 250]) {
      for (let count = 0; count < size; count += 1) {
        const turn = (count * 7 + size) % 4;
        answers[turn]!.push(writer.submit(start(places[turn]!)));
      }
      // The next ones arrive while these are being committed.
      await new Promise(setImmediate);
    }
    for (const inOrder of answers) {
      const epochs = (await Promise.all(inOrder)).map((answer) => sessionOf(answer).epoch);
      expect(epochs).toEqual(epochs.map((_, index) => index + 1));
    }
    expect(batches.length).toBeGreaterThan(2);
  });

  test('lets a command see what those before it did: start, rotate, end, and the same stop again', async () => {
    const place = newPlace(ledger.partitions);
    const first = start(place);
    const session = sessionOf(await writer.submit(first));
    const rotation = rotate(session);
    const answers = await Promise.all([
      writer.submit(rotation),
      writer.submit(end(session)), // too late: rotated
      writer.submit(end(session)),
      writer.submit(start(place, { owner: debug, onConflict: 'join' })),
      writer.submit(start(place, { onConflict: 'reject' })),
    ]);
    expect(batches).toEqual([1, 5]);
    expect(answers).toMatchObject([
      { kind: 'accepted', outcome: 'rotated', session: { epoch: 2, chainLength: 2 } },
      { kind: 'refused', refusal: { code: 'stale-session', current: { epoch: 2 } } },
      { kind: 'refused', refusal: { code: 'stale-session' } },
      { kind: 'accepted', outcome: 'joined', session: { epoch: 2, owner: dev } },
      { kind: 'refused', refusal: { code: 'session-active' } },
    ]);
  });

  test('is bounded: what does not fit goes into the next one, still in order', async () => {
    const sizes: number[] = [];
    const small = ledger.writer({ lanes: 1, maxBatch: 10, onBatch: ({ length }) => void sizes.push(length) });
    const place = newPlace(ledger.partitions);
    const answers = await Promise.all(Array.from({ length: 35 }, () => small.submit(start(place))));
    expect(sizes).toEqual([10, 10, 10, 5]);
    expect(answers.map((answer) => sessionOf(answer).epoch)).toEqual(answers.map((_, index) => index + 1));
  });

  test('takes tenants in turn when more wait than fit, and one tenant has its share of the queue alone', async () => {
    const shared = ledger.writer({ lanes: 1, maxBatch: 10, maxQueue: 100, maxOfTenant: 50 });
    let users = 0;
    const of = (tenant: string) => {
      users += 1;
      return start(placeOf(ledger.partitions, `of a tenant ${users}`, { tenant }));
    };
    const told: string[] = [];
    const sent = (tenant: string) =>
      shared.submit(of(tenant)).then(
        () => void told.push(tenant),
        ({ code }) => void told.push(code),
      );
    const all = Array.from({ length: 60 }, () => sent('blue'));
    all.push(sent('red'), sent('red'));
    await Promise.all(all);
    expect(told.filter((one) => one === 'overloaded')).toHaveLength(10);
    const answered = told.filter((one) => one !== 'overloaded');
    expect(answered.filter((one) => one === 'blue')).toHaveLength(50);
    expect(answered.indexOf('red')).toBeLessThan(10);
    expect(answered.lastIndexOf('red')).toBeLessThan(10);
  });

  test('takes lists in turn, and what comes alone beside them soon, in batches that are not long', async () => {
    const sizes: number[] = [];
    const shared = ledger.writer({ lanes: 1, onBatch: ({ length }) => void sizes.push(length) });
    const told: string[] = [];
    const sent = (name: string, list?: object) =>
      shared
        .submit(Object.assign(start(newPlace(ledger.partitions)), list && { list }))
        .then(() => void told.push(name));
    const [one, other] = [{}, {}];
    const all = Array.from({ length: 300 }, () => sent('one', one));
    all.push(...Array.from({ length: 20 }, () => sent('other', other)));
    all.push(...Array.from({ length: 8 }, () => sent('alone')));
    await Promise.all(all);
    expect(sizes).toEqual([...Array(7).fill(32), 104]); // of 328
    const of = (name: string) => told.slice(0, 32).filter((one) => one === name).length;
    expect([of('one'), of('other'), of('alone')]).toEqual([12, 12, 8]);
  });

  test('holds no command of a session that its tenant does not have', async () => {
    const session = sessionOf(await writer.submit(start(newPlace(ledger.partitions))));
    const foreign = { ...end(session), tenant: 'other' };
    expect(await writer.submit(foreign)).toEqual({ kind: 'unknown-session' });
  });
});

test('whoever submits again some moments after an answer is answered, too', async () => {
  const place = newPlace(ledger.partitions);
  for (let turns = 0; turns < 12; turns += 1) {
    await writer.submit(start(place));
    for (let turn = 0; turn < turns; turn += 1) await undefined;
    const late = setTimeout(() => expect(`no answer after ${turns} turns`).toBe(''), 5_000);
    await writer.submit(start(place));
    clearTimeout(late);
  }
});

test('the next batch is on its way when the senders of the last one are told', async () => {
  const lone = ledger.writer();
  const first = lone.submit(start(newPlace(ledger.partitions)));
  while (lone.waiting > 0) await new Promise(setImmediate);
  const second = lone.submit(start(newPlace(ledger.partitions)));
  expect(lone.waiting).toBe(1);
  await first;
  expect(lone.waiting).toBe(0);
  await second;
});

test('the time of what had to wait for its partition is after that, and so are all ends counted from it', async () => {
  const place = newPlace(ledger.partitions, 1);
  const holder = await ledger.pool.connect();
  await holder.query('begin');
  await holder.query('select from ledger.heads where partition = 1 for update');
  const waiting = writer.submit(start(place));
  while (!(await isWaitedFor())) await new Promise((done) => setTimeout(done, 5));
  await holder.query('select pg_sleep(0.1)');
  const { rows } = await holder.query('select clock_timestamp() as now');
  await holder.query('commit');
  holder.release();
  expect(Date.parse(sessionOf(await waiting).startedAt)).toBeGreaterThanOrEqual(rows[0].now.getTime());
});

/** Whether somebody waits for a lock in this database. */
async function isWaitedFor(): Promise<boolean> {
  const { rowCount } = await ledger.pool.query(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rowCount !== 0;
}

test('the time of a partition never goes back, also when the clock of the database does', async () => {
  const place = newPlace(ledger.partitions, 3);
  await writer.submit(start(place));
  await ledger.pool.query("update ledger.heads set at = at + interval '1 hour' where partition = 3");
  const ahead = (await ledger.pool.query('select at from ledger.heads where partition = 3')).rows[0].at;
  const session = sessionOf(await writer.submit(start(place)));
  expect(session.startedAt).toBe(ahead.toISOString());
  const other = sessionOf(await writer.submit(start(newPlace(ledger.partitions, 2))));
  expect(Date.parse(other.startedAt)).toBeLessThan(ahead.getTime() - 3_000_000);
});

describe('a stop that is ignored', () => {
  const counted = async (commandId: string) => {
    const { rows } = await ledger.pool.query(
      `select count from ledger.ignored_stops join ledger.events using (partition, sequence)
        where convert_from(bytes, 'UTF8')::json ->> 'commandid' = $1`,
      [commandId],
    );
    return rows.map((row) => row.count);
  };
  const superseded = async () => {
    const place = newPlace(ledger.partitions);
    const session = sessionOf(await writer.submit(start(place)));
    await writer.submit(start(place, { owner: debug }));
    return session;
  };

  test('a thousand times in a few batches and from two replicas is one event, counted a thousand times', async () => {
    const stop = end(await superseded());
    await writer.submit({ ...stop });
    const replicas = [writer, ledger.writer()];
    const answers = await Promise.all(
      Array.from({ length: 999 }, (_, index) => replicas[index % 2]!.submit(again(stop))),
    );
    expect(new Set(answers.map((answer) => answer.kind === 'refused' && answer.refusal.code))).toEqual(
      new Set(['stale-session']),
    );
    expect(await counted(stop.commandId)).toEqual([1_000]);
  });

  test('is one event for each origin, epoch and why', async () => {
    const session = await superseded();
    const stops = [
      end(session),
      end(session, { origin: debug }),
      end(session, { origin: { ...debug, instance: 'b' } }),
      end(session, { epoch: 0 }),
    ];
    await Promise.all([...stops, ...stops.map(again)].map((stop) => writer.submit(stop)));
    for (const stop of stops) expect(await counted(stop.commandId)).toEqual([2]);
  });
});

test('the time that it worked is that of its batches, and stands still between them', async () => {
  const writer = ledger.writer();
  expect(writer.workedMs).toBe(0);
  const answer = writer.submit(start(newPlace(ledger.partitions)));
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  const begun = writer.workedMs;
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(writer.workedMs).toBeGreaterThan(begun);
  await answer;
  await new Promise(setImmediate);
  const over = writer.workedMs;
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(writer.workedMs).toBe(over);
});
