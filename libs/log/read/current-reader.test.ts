import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { startProxy } from '../../../test/support/proxy.js';
import { CurrentReader, LogError } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { end, newPlace, type Place, sessionOf, start, withAttributes } from '../testing/submissions.js';

let ledger: TestLedger;
beforeEach(async () => {
  ledger = await openTestLedger();
});
afterEach(() => ledger.close());

const faults: unknown[] = [];
const readerOf = (pool: pg.Pool, options: { maxBatch?: number; queries?: number; maxQueue?: number } = {}) =>
  new CurrentReader({
    pool,
    maxBatch: 512,
    queries: 2,
    maxQueue: 20_000,
    onFault: (error) => void faults.push(error),
    ...options,
  });
const read = (reader: CurrentReader, { scopeKey, partition }: Place) => reader.read(scopeKey, partition);

function startProxyToPostgres() {
  const { hostname, port } = new URL(ledger.database.url);
  return startProxy({ target: { host: hostname, port: Number(port) } });
}

/** The pool, counting the queries that are sent: each asks for a connection. */
function counting(pool: pg.Pool): { pool: pg.Pool; queries: () => number } {
  let queries = 0;
  const connect = pool.connect.bind(pool);
  pool.connect = (() => {
    queries += 1;
    return connect();
  }) as never;
  return { pool, queries: () => queries };
}

test('reads the latest session with its attributes: none, current, ended and erased', async () => {
  const writer = ledger.writer();
  const reader = readerOf(ledger.servicePool(2));
  const [place, other] = [newPlace(ledger.partitions), newPlace(ledger.partitions)];
  expect(await read(reader, place)).toBeUndefined();
  const session = sessionOf(await writer.submit(withAttributes(start(place), '{"a":1}')));
  await writer.submit(start(other));
  expect(await read(reader, place)).toEqual({
    version: 1,
    revision: 1,
    ended: false,
    json: JSON.stringify(session),
    attributes: '{"a":1}',
  });
  expect(await read(reader, other)).not.toHaveProperty('attributes');
  await writer.submit(end(session));
  expect(await read(reader, place)).toMatchObject({ version: 2, revision: 2, ended: true });
  await ledger.pool.query('delete from ledger.details');
  expect(await read(reader, place)).toMatchObject({ attributes: 'erased' });
});

test('readers who come turn by turn share a query, but not for ever', async () => {
  const { pool, queries } = counting(ledger.servicePool(4));
  const reader = readerOf(pool);
  const reads: Promise<unknown>[] = [];
  const place = newPlace(ledger.partitions);
  for (let turn = 1; turn <= 4; turn += 1) {
    reads.push(read(reader, place), read(reader, place));
    await new Promise(setImmediate);
  }
  expect(queries()).toBe(0);
  while (queries() === 0 && reads.length < 1_000) {
    reads.push(read(reader, place));
    await new Promise(setImmediate);
  }
  expect(reads.length).toBeLessThan(20);
  await Promise.all(reads);
});

test('a read that starts after an answer sees it, on whatever replica', async () => {
  // Answers to reads are on their way for a while: whoever joined a read under way would get an old one.
  const proxy = await startProxyToPostgres();
  proxy.delay(10);
  const slow = { url: proxy.reroute(ledger.database.url) };
  const replicas = [1, 2].map(() => ({
    writer: ledger.writer(),
    reader: readerOf(ledger.servicePool(2, slow)),
  }));
  const places = Array.from({ length: 8 }, () => newPlace(ledger.partitions));
  const answered = new Map<Place, number>(places.map((place) => [place, 0]));
  const stale: string[] = [];
  let reads = 0;
  const check = async (place: Place, replica: number) => {
    const atLeast = answered.get(place) ?? 0;
    const { revision = 0 } = (await read(replicas[replica]!.reader, place)) ?? {};
    reads += 1;
    if (revision < atLeast) stale.push(`${place.scopeKey} had ${atLeast}, read ${revision}`);
  };
  await Promise.all(
    Array.from({ length: 48 }, async (_, caller) => {
      const place = places[caller % places.length]!;
      const own = Math.floor(caller / places.length) % 2;
      for (let turn = 0; turn < 40; turn += 1) {
        await sleep(Math.random() * 10); // so that callers do not go in step
        const { revision } = sessionOf(await replicas[own]!.writer.submit(start(place)));
        answered.set(place, Math.max(answered.get(place) ?? 0, revision));
        await Promise.all([check(place, own), check(place, 1 - own)]);
      }
    }),
  );
  expect(stale).toEqual([]);
  expect(reads).toBe(48 * 40 * 2);
  await proxy.close();
});

test('readers that come together share a query, each with its own answer', async () => {
  const writer = ledger.writer();
  const places = Array.from({ length: 300 }, () => newPlace(ledger.partitions));
  await Promise.all(places.map((place) => writer.submit(start(place))));
  const { pool, queries } = counting(ledger.servicePool(2));
  const reader = readerOf(pool);
  const found = await Promise.all(
    Array.from({ length: 2_000 }, (_, index) => read(reader, places[index % 300]!)),
  );
  const users = found.map((latest) => JSON.parse(latest?.json ?? '{}').scope?.userId);
  expect(users).toEqual(users.map((_, index) => places[index % 300]?.scope.userId));
  expect(queries()).toBe(Math.ceil(2_000 / 512));
});

test('at its bound it answers overloaded at once, and serves those who wait', async () => {
  const reader = readerOf(ledger.servicePool(1), { maxQueue: 100 });
  const place = newPlace(ledger.partitions);
  const asked = Array.from({ length: 150 }, () => read(reader, place).catch((error: LogError) => error.code));
  expect(await Promise.all(asked)).toEqual([...Array(100).fill(undefined), ...Array(50).fill('overloaded')]);
});

test('cut off from Postgres it answers unavailable, and recovers by itself', async () => {
  const proxy = await startProxyToPostgres();
  const pool = ledger.servicePool(2, { url: proxy.reroute(ledger.database.url), connectMs: 500 });
  const reader = readerOf(pool);
  const place = newPlace(ledger.partitions);
  await ledger.writer().submit(start(place));
  expect(await read(reader, place)).toMatchObject({ version: 1 });
  proxy.cut();
  const refused = await Promise.all(
    [1, 2, 3].map(() => read(reader, place).catch((error: unknown) => error)),
  );
  expect(refused).toEqual(refused.map(() => expect.any(LogError)));
  expect(refused).toMatchObject(refused.map(() => ({ code: 'unavailable' })));
  expect(faults.length).toBeGreaterThan(0);
  proxy.heal();
  expect(await read(reader, place)).toMatchObject({ version: 1 });
  await proxy.close();
});
