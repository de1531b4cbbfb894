import { EventEmitter } from 'node:events';
import type pg from 'pg';
import type { Position } from '#session';
import { backUp } from '../../../test/support/database.js';
import { startProxy } from '../../../test/support/proxy.js';
import { archiveAll, archiveDirectory } from '../../archive/testing/archives.js';
import { type FeedEvent, type LedgerWriter, LogPages, type Tail } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { groupBy, readLog } from '../testing/stored-log.js';
import { newPlace, type Place, start } from '../testing/submissions.js';

let ledger: TestLedger;
beforeEach(async () => {
  ledger = await openTestLedger();
});
afterEach(() => ledger.close());

/** A replica: a writer, the tail that hears it, and what the tail has told its listener. */
async function replica(options: Parameters<TestLedger['tail']>[0] = {}) {
  const tail = await ledger.tail(options);
  const heard: FeedEvent[] = [];
  tail.listen((events) => void heard.push(...events));
  const writer = ledger.writer({ onCommitted: (events) => tail.committed(events) });
  return { tail, heard, writer };
}

const submitTo = (writer: LedgerWriter, places: readonly Place[], count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => writer.submit(start(places[index % places.length]!))),
  );

/** Resolves when the tail knows everything that is stored; throws after five seconds. */
async function caughtUp(tail: Tail): Promise<void> {
  const { rows } = await ledger.pool.query('select partition, sequence from ledger.heads');
  const deadline = performance.now() + 5_000;
  for (const { partition, sequence } of rows) {
    while ((tail.heads()[partition] ?? 0) < sequence) {
      if (performance.now() > deadline)
        throw new Error(`${partition} is at ${tail.heads()[partition]} of ${sequence}`);
      await tail.changed(partition, tail.heads()[partition] ?? 0, 50);
    }
  }
}

/** Changes the table as a restore would, past the triggers that keep events as they are. */
const behindItsBack = (sql: string) =>
  ledger.pool.query(`set session_replication_role = replica; ${sql}; reset session_replication_role`);

/** What becomes of the next answer to a statement. */
interface Step {
  name: string;
  then<T>(answer: T): T | Promise<T>;
}

/** A pool whose next answer to a statement can be held back once it has come, or be an error. */
function holdable(real: pg.Pool) {
  let next: Step | undefined;
  const once = (name: string, then: Step['then']) => {
    next = { name, then };
  };
  const query = async (asked: pg.QueryConfig) => {
    const step = next?.name === asked.name ? next : undefined;
    if (step) next = undefined;
    const answer = await real.query(asked);
    return step ? step.then(answer) : answer;
  };
  const pool = new Proxy(real, {
    get: (target, name) => {
      if (name === 'query') return query;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    pool,
    hold(name: string) {
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const answered = new Promise<void>((resolve) => {
        once(name, async (answer) => {
          resolve();
          await released;
          return answer;
        });
      });
      return { answered, release };
    },
    fail(name: string): Promise<void> {
      return new Promise((resolve) => {
        once(name, () => {
          resolve();
          throw new Error('it fails once');
        });
      });
    },
  };
}

/** As feed events are compared: with text instead of bytes. */
const plain = (events: readonly FeedEvent[]) =>
  events.map(({ partition, sequence, scopeKey, type, epoch, bytes }) =>
    [partition, sequence, scopeKey, type, epoch, bytes.toString()].join(' '),
  );
const storedByPartition = async () => groupBy(await readLog(ledger.pool), ({ partition }) => partition);

test('what is read again is byte for byte what was written, more than ASCII too', async () => {
  const { tail, heard, writer } = await replica();
  const place = newPlace(ledger.partitions);
  await writer.submit(start(place, { owner: { environment: 'Zürich 東京 🛰' } }));
  await writer.submit(start(place, { owner: { environment: '"\\\u2028', instance: '\ud7ff\uffff' } }));
  const again = await (await ledger.tail()).read(place.partition, 0, 10);
  expect(again).toEqual(heard);
  expect(await tail.read(place.partition, 0, 10)).toEqual(again);
  const { rows } = await ledger.pool.query('select bytes from ledger.events order by sequence');
  expect(again.map(({ bytes }) => bytes)).toEqual(rows.map(({ bytes }) => bytes));
});

test('bytes that are no text, which nobody here has written, are not served as something else', async () => {
  const { writer } = await replica();
  const place = newPlace(ledger.partitions);
  await writer.submit(start(place));
  await ledger.pool.query(
    "set session_replication_role = replica; update ledger.events set bytes = '\\xff' || bytes; reset session_replication_role",
  );
  const reading = (await ledger.tail()).read(place.partition, 0, 10);
  await expect(reading).rejects.toMatchObject({ code: '22021' }); // invalid byte sequence
});

test('listeners hear local and foreign commits once, dense and in order, byte for byte', async () => {
  const [one, two] = [await replica(), await replica({ pollMs: 5 })];
  const places = Array.from({ length: 12 }, () => newPlace(ledger.partitions));
  for (let round = 0; round < 20; round += 1)
    await Promise.all([submitTo(one.writer, places, 40), submitTo(two.writer, places, 25)]);
  await Promise.all([caughtUp(one.tail), caughtUp(two.tail)]);
  for (const { heard } of [one, two]) {
    const byPartition = groupBy(heard, ({ partition }) => partition);
    for (const [partition, stored] of await storedByPartition())
      expect(plain(byPartition.get(partition) ?? [])).toEqual(plain(stored));
  }
});

test('a local commit is heard before its sender is answered', async () => {
  const { heard, writer } = await replica({ pollMs: 60_000 });
  const place = newPlace(ledger.partitions);
  for (let turn = 0; turn < 20; turn += 1) {
    const { position } = (await writer.submit(start(place))) as { position: Position };
    expect(heard.at(-1)).toMatchObject(position);
  }
});

test('what another replica has just committed is in the stored heads, before the tail has heard of it', async () => {
  const { tail } = await replica({ pollMs: 60_000 });
  const place = newPlace(ledger.partitions);
  await ledger.writer().submit(start(place));
  const heads = await new LogPages(tail, ledger.pool).storedHeads();
  expect([heads[place.partition], tail.heads()[place.partition]]).toEqual([1, 0]);
});

test('who stops listening hears no more', async () => {
  const { tail, writer } = await replica();
  const heard: FeedEvent[] = [];
  const stop = tail.listen((events) => void heard.push(...events));
  await writer.submit(start(newPlace(ledger.partitions)));
  stop();
  await writer.submit(start(newPlace(ledger.partitions)));
  expect(heard).toHaveLength(1);
});

test('what is read from memory, from Postgres, and across both is the same', async () => {
  const { tail, writer } = await replica();
  const place = newPlace(ledger.partitions, 1);
  await submitTo(writer, [place], 1_500); // more than is kept
  const late = await ledger.tail(); // has nothing in memory
  const stored = (await storedByPartition()).get(1) ?? [];
  const last = stored.length;
  for (const after of [
    0,
    1,
    998,
    last - 1_100,
    last - 1_000,
    last - 500,
    last - 2,
    last - 1,
    last,
    last + 5,
  ]) {
    for (const limit of [1, 10, 2_000]) {
      const expected = plain(stored.slice(after, after + limit));
      const fromLate = await late.read(1, after, limit);
      expect(plain(fromLate)).toEqual(expected);
      const read = plain(await tail.read(1, after, limit));
      expect(read).toEqual(expected.slice(0, read.length));
      expect(read.length).toBeGreaterThanOrEqual(Math.min(1, expected.length));
    }
  }
});

test('after 50,000 events a partition keeps at most 1,024 of them and 1 MiB', async () => {
  const { tail, heard } = await replica({ pollMs: 60_000 });
  const listened = heard.length;
  const event = (sequence: number): FeedEvent => ({
    partition: 2,
    sequence,
    scopeKey: 'acme/user/default',
    type: 'SessionStarted',
    epoch: 1,
    bytes: Buffer.alloc(sequence > 25_000 ? 4_000 : 100, 'x'),
  });
  const kept = () => (tail as unknown as { tails: { events: FeedEvent[] }[] }).tails[2]?.events ?? [];
  for (let first = 1; first <= 50_000; first += 250) {
    tail.committed(Array.from({ length: 250 }, (_, index) => event(first + index)));
    expect(kept().length).toBeLessThanOrEqual(1_024);
    expect(kept().reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(1 << 20);
    expect(kept().at(-1)?.sequence).toBe(first + 249);
  }
  expect(heard.length - listened).toBe(50_000);
  expect(tail.heads()[2]).toBe(50_000);
});

describe('changed', () => {
  const timed = async (waiting: Promise<void>) => {
    const began = performance.now();
    await waiting;
    return performance.now() - began;
  };

  test('answers at once when there is something already', async () => {
    const { tail, writer } = await replica();
    const place = newPlace(ledger.partitions);
    await writer.submit(start(place));
    expect(await timed(tail.changed(place.partition, 0, 5_000))).toBeLessThan(100);
  });

  test('wakes up for a commit of this replica and of another one, in its partition only', async () => {
    const { tail, writer } = await replica({ pollMs: 10 });
    for (const committing of [writer, ledger.writer()]) {
      const place = newPlace(ledger.partitions, 1);
      const waiting = tail.changed(1, tail.heads()[1] ?? 0, 5_000);
      const elsewhere = timed(tail.changed(2, tail.heads()[2] ?? 0, 300));
      const began = timed(waiting);
      await committing.submit(start(place));
      expect(await began).toBeLessThan(1_000);
      expect(await elsewhere).toBeGreaterThan(290);
    }
  });

  test('ends after its time, when aborted, and when the tail closes', async () => {
    const { tail } = await replica();
    expect(await timed(tail.changed(0, 0, 50))).toBeGreaterThan(45);
    const abort = new AbortController();
    const aborted = timed(tail.changed(0, 0, 5_000, abort.signal));
    abort.abort();
    expect(await aborted).toBeLessThan(100);
    expect(await timed(tail.changed(0, 0, 5_000, abort.signal))).toBeLessThan(100);
    const closed = timed(tail.changed(0, 0, 5_000));
    tail.close();
    expect(await closed).toBeLessThan(100);
  });
});

test('when Postgres comes back after a while, the tail catches up', async () => {
  const { hostname, port } = new URL(ledger.database.url);
  const proxy = await startProxy({ target: { host: hostname, port: Number(port) } });
  const pool = ledger.servicePool(2, { url: proxy.reroute(ledger.database.url), connectMs: 300 });
  const faults: unknown[] = [];
  const { tail, heard } = await replica({ pool, onFault: (error) => void faults.push(error) });
  const places = Array.from({ length: 8 }, () => newPlace(ledger.partitions));
  const other = ledger.writer();
  await submitTo(other, places, 100);
  await caughtUp(tail);
  proxy.cut();
  await submitTo(other, places, 2_000);
  await new Promise((done) => setTimeout(done, 200));
  expect(faults.length).toBeGreaterThan(0);
  expect(heard.length).toBeLessThan(1_000);
  proxy.heal();
  await caughtUp(tail);
  const byPartition = groupBy(heard, ({ partition }) => partition);
  for (const [partition, stored] of await storedByPartition())
    expect(plain(byPartition.get(partition) ?? [])).toEqual(plain(stored));
  tail.close();
  await proxy.close();
});

describe('when the table has another past than was known', () => {
  const place = () => newPlace(ledger.partitions, 1);
  const forgotten = async (tail: Tail) => {
    for (const until = performance.now() + 5_000; tail.history === 0; ) {
      if (performance.now() > until) throw new Error('the tail goes on with what it knew');
      await new Promise((done) => setTimeout(done, 5));
    }
  };
  const expectTheTable = async (tail: Tail) => {
    const stored = plain((await storedByPartition()).get(1) ?? []);
    expect(tail.heads()[1]).toBe(stored.length);
    for (const after of [0, 1, 2]) {
      const rest = stored.slice(after);
      expect(plain(await tail.read(1, after, 10))).toEqual(rest);
      expect(plain(await tail.readTable(1, after, 10))).toEqual(rest);
    }
  };
  const quiet = { onFault: () => undefined };

  test('a shorter one: it is forgotten, and who waits or listens is told', async () => {
    const { tail, writer } = await replica(quiet);
    await writer.submit(start(place()));
    const backup = await backUp(ledger.database.url);
    await submitTo(writer, [place(), place(), place()], 3);
    expect(tail.heads()[1]).toBe(4);
    let told = 0;
    tail.onRewind(() => void told++);
    const waiting = tail.changed(1, 4, 10_000);
    await backup.restore();
    await forgotten(tail);
    const isTold = waiting.then(() => true);
    expect(await Promise.race([isTold, new Promise(setImmediate)])).toBe(true); // at once, not when its time is over
    await expectTheTable(tail);
    await ledger.writer().submit(start(place()));
    await caughtUp(tail);
    await expectTheTable(tail);
    expect([told, tail.history]).toEqual([1, 1]);
  });

  test('one that is as long or longer already, in a partition of which only the end was known', async () => {
    const { writer } = await replica(quiet);
    await writer.submit(start(place()));
    const backup = await backUp(ledger.database.url);
    await submitTo(writer, [place(), place()], 2);
    const late = await ledger.tail(quiet); // has read no more than the end
    const other = ledger.writer({ database: { url: backup.url } });
    await submitTo(other, [place(), place(), place()], 3);
    await other.close();
    await backup.restore();
    await forgotten(late);
    await expectTheTable(late);
  });

  test('what this replica commits on top of it is noticed by its bytes', async () => {
    const { tail, writer } = await replica({ ...quiet, pollMs: 300 });
    await writer.submit(start(place()));
    const event = (await tail.read(1, 0, 1))[0]!;
    tail.committed([event]); // the same one again, as it comes when the poll was faster
    await new Promise((done) => setTimeout(done, 700));
    expect(tail.history).toBe(0);
    await behindItsBack(
      `update ledger.events set bytes = replace(encode(bytes, 'escape'), 'commandid":"', 'commandid":"0')::bytea`,
    );
    tail.committed([
      { ...event, bytes: Buffer.from(event.bytes.toString().replace('commandid":"', 'commandid":"0')) },
    ]);
    await forgotten(tail);
    await expectTheTable(tail);
  });

  test('connections that were lost, and nothing else, leave what is known as it is', async () => {
    const { tail, writer } = await replica({ ...quiet, pool: ledger.servicePool(2) });
    await submitTo(writer, [place()], 3);
    await ledger.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    const other = ledger.writer();
    await submitTo(other, [place()], 2);
    await caughtUp(tail);
    await new Promise((done) => setTimeout(done, 200));
    expect(tail.history).toBe(0);
    await expectTheTable(tail);
  });

  test('what was read before it was forgotten, and comes after, is not taken for what is there now', async () => {
    const { pool, hold } = holdable(ledger.servicePool(2));
    const { tail, heard } = await replica({ pool });
    const other = ledger.writer();
    await other.submit(start(place()));
    await caughtUp(tail);
    const page = hold('read_feed');
    await submitTo(other, [place()], 2);
    await page.answered;
    await behindItsBack(`delete from ledger.events where partition = 1;
      update ledger.heads set sequence = 0, frontier = '' where partition = 1`);
    await forgotten(tail);
    page.release();
    await new Promise(setImmediate);
    expect([heard.length, tail.heads()[1]]).toEqual([1, 0]);
    await expectTheTable(tail);
  });

  test('a connection that is made while it compares has it compare again, also when that fails once', async () => {
    const shared = ledger.servicePool(4);
    const { pool, hold, fail } = holdable(shared);
    await ledger.writer().submit(start(place()));
    const { tail } = await replica({ ...quiet, pool }); // its first connection has it compare
    const comparison = hold('read_ends');
    await comparison.answered;
    await behindItsBack(
      `update ledger.events set bytes = replace(encode(bytes, 'escape'), 'commandid":"', 'commandid":"0')::bytea`,
    );
    const made = await Promise.all([shared.connect(), shared.connect(), shared.connect()]);
    for (const client of made) client.release();
    const failed = fail('read_ends');
    comparison.release();
    await forgotten(tail);
    await failed;
    await expectTheTable(tail);
  });

  test('a busy replica whose heads move while it looks forgets nothing', async () => {
    const { tail, writer } = await replica({ pollMs: 1 });
    const places = Array.from({ length: 8 }, () => newPlace(ledger.partitions));
    for (let round = 0; round < 40; round += 1) await submitTo(writer, places, 20);
    expect(tail.history).toBe(0);
  });
});

test('at the end of what it knows, a replica answers what another one has appended since', async () => {
  const { tail, writer } = await replica({ pollMs: 60_000 });
  const place = newPlace(ledger.partitions, 1);
  await writer.submit(start(place));
  await ledger.writer().submit(start(newPlace(ledger.partitions, 1)));
  expect(await tail.read(1, 1, 10)).toHaveLength(1);
  expect(tail.heads()[1]).toBe(1); // from the table, not by a poll
});

test('a page that lies wholly in archives is refused, not empty', async () => {
  const { writer } = await replica();
  const place = newPlace(ledger.partitions, 1);
  await submitTo(writer, [place], 60);
  const directory = await archiveDirectory();
  await archiveAll(ledger, directory.path);
  const { tail } = await replica(); // nothing of it in memory
  const { head } = { head: tail.heads()[1]! };
  for (const after of [0, 1, head - 12, head - 2])
    await expect(tail.read(1, after, 10)).rejects.toMatchObject({ code: 'archived' });
  expect(await tail.read(1, head - 1, 10)).toHaveLength(1);
  expect(await tail.read(1, head, 10)).toEqual([]);
  await directory.remove();
});

test('after a new connection nothing comes from memory until the past was compared', async () => {
  const { tail, writer } = await replica();
  const place = newPlace(ledger.partitions);
  await submitTo(writer, [place], 2);
  const { partition } = place;
  const head = tail.head(partition);
  expect(tail.kept(partition, head - 1, 1)).toHaveLength(1);
  ledger.pool.emit('connect', new EventEmitter() as unknown as pg.PoolClient);
  expect([tail.isSure, tail.kept(partition, head - 1, 1)]).toEqual([false, undefined]);
  expect(await tail.read(partition, head - 1, 1)).toHaveLength(1); // from the table
  await tail.changed(partition, head, 500); // no news: time for a look
  expect([tail.isSure, tail.kept(partition, head - 1, 1)?.length]).toEqual([true, 1]);
});
