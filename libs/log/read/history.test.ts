import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Position, Session } from '#session';
import { History, type LedgerWriter, newSessionId, type SnapshotRow, Snapshots } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { sendAtRandom } from '../testing/random-callers.js';
import { readLog, type StoredEvent } from '../testing/stored-log.js';
import { nothingYet, type Story, tell } from '../testing/story.js';
import { again, end, newPlace, rotate, sessionOf, start, withAttributes } from '../testing/submissions.js';
import type { SnapshotLimits } from './snapshots.js';

let ledger: TestLedger;
let writer: LedgerWriter;
let history: History;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
  history = new History(ledger.servicePool(2));
});
afterEach(() => ledger.close());

test('a session is found by its id, as it is or as it ended; an unknown one is not', async () => {
  const place = newPlace(ledger.partitions);
  const first = sessionOf(await writer.submit(start(place)));
  const second = sessionOf(await writer.submit(rotate(first)));
  const { scopeKey } = place;
  expect(await history.session(second.sessionId, 'acme')).toEqual({ session: second, scopeKey });
  expect(await history.session(first.sessionId, 'acme')).toMatchObject({
    session: { status: 'ended', endCause: 'rotated', successorId: second.sessionId },
    scopeKey,
  });
  expect(await history.session(newSessionId(place.partition), 'acme')).toBeUndefined();
  expect(await history.session(newSessionId(4_095), 'acme')).toBeUndefined();
});

test('events of a scope come in pages, dense by version, with the count of ignored stops', async () => {
  const place = newPlace(ledger.partitions);
  const owner = { environment: 'Zürich', instance: '\\ 東京' };
  const session = sessionOf(await writer.submit(start(place, { owner })));
  const stop = end(session, { origin: owner });
  await writer.submit(start(place));
  await Promise.all([stop, again(stop), again(stop)].map((one) => writer.submit(one)));
  expect(await history.refusals(session.sessionId, 'acme', 9)).toMatchObject([{ origin: owner, count: 3 }]);
  await Promise.all(Array.from({ length: 20 }, () => writer.submit(start(place))));
  const pages = [];
  for (let after = 0; ; ) {
    const page = await history.events(place.scopeKey, after, 7);
    if (page.length === 0) break;
    pages.push(page);
    after = page.at(-1)!.version;
  }
  const events = pages.flat();
  expect(pages.map(({ length }) => length)).toEqual([7, 7, 7, 7, 7, 7, 2]);
  expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
  expect(events.flatMap(({ count }) => count ?? [])).toEqual([3]);
  const stored = (await readLog(ledger.pool)).map(({ partition, sequence, bytes }) => ({
    position: { partition, sequence },
    json: bytes.toString(),
  }));
  expect(events.map(({ position, json }) => ({ position, json }))).toEqual(stored);
});

test('attributes are found by their digest until they are erased', async () => {
  const place = newPlace(ledger.partitions);
  const { attributesDigest = '' } = sessionOf(await writer.submit(withAttributes(start(place), '{"a":"ü"}')));
  expect(await history.attributes(place.partition, attributesDigest, 'acme')).toBe('{"a":"ü"}');
  await ledger.pool.query('delete from ledger.details');
  expect(await history.attributes(place.partition, attributesDigest, 'acme')).toBeUndefined();
  for await (const row of history.snapshot()) {
    if ('json' in row) expect(row.attributes).toBe('erased');
  }
});

describe('a snapshot', () => {
  type Parts = { position: Position; rows: SnapshotRow[] }[];
  const take = async (
    from: Pick<Snapshots, 'take'> = { take: () => history.snapshot() },
    each: () => Promise<void> = async () => undefined,
  ): Promise<Parts> => {
    const parts: Parts = [];
    for await (const one of from.take()) {
      if ('position' in one) parts.push({ ...one, rows: [] });
      else parts.at(-1)?.rows.push(one);
      await each();
    }
    return parts;
  };
  /** The current sessions after a position of a partition, folded from the log. */
  const currentAt = ({ partition, sequence }: Position, log: readonly StoredEvent[]): Session[] => {
    const stories = new Map<string, Story>();
    for (const one of log) {
      if (one.partition !== partition || one.sequence > sequence) continue;
      stories.set(one.scopeKey, tell(stories.get(one.scopeKey) ?? nothingYet(), one.event));
    }
    return [...stories.values()].flatMap(({ state: { latest } }) =>
      latest && latest.status !== 'ended' ? [latest] : [],
    );
  };
  const byId = (one: { sessionId: string }, other: { sessionId: string }) =>
    one.sessionId < other.sessionId ? -1 : 1;

  test('is, for each partition, what its events up to that position fold to, while writers go on', async () => {
    const places = Array.from({ length: 200 }, () => newPlace(ledger.partitions));
    let over = false;
    const sending = sendAtRandom({
      writers: [writer, ledger.writer()],
      places,
      callers: 32,
      turns: 10_000,
      seed: Math.floor(Math.random() * 2 ** 31),
      stop: () => over,
    });
    const snapshots: Parts[] = [];
    for (let taken = 0; taken < 5; taken += 1) {
      await sleep(100);
      let rows = 0;
      snapshots.push(await take(undefined, async () => void (++rows % 20 === 0 && (await sleep(1)))));
    }
    over = true;
    await sending;
    const log = await readLog(ledger.pool);
    for (const parts of snapshots) {
      expect(parts.map(({ position }) => position.partition).sort()).toEqual([0, 1, 2, 3]);
      for (const { position, rows } of parts) {
        const sessions: Session[] = rows.map(({ json }) => JSON.parse(json));
        expect(sessions.sort(byId)).toEqual(currentAt(position, log).sort(byId));
      }
    }
    expect(new Set(snapshots.map((parts) => JSON.stringify(parts))).size).toBe(5); // they went on
  });

  test('of more scopes than fit in a page has each once', async () => {
    const places = Array.from({ length: 2_500 }, () => newPlace(ledger.partitions, 2));
    await Promise.all(places.map((place) => writer.submit(start(place))));
    const sessions = (await take()).flatMap(({ rows }) => rows.map(({ json }) => JSON.parse(json).sessionId));
    expect(sessions).toHaveLength(2_500);
    expect(new Set(sessions).size).toBe(2_500);
  });

  const small = (pool: pg.Pool, limits: Partial<SnapshotLimits>) =>
    new Snapshots(pool, { ahead: 1, aheadOfAll: 1 << 20, readers: 10, ...limits });
  const sizes = (parts: Parts) => parts.map(({ rows }) => rows.length);
  const fill = (count: number) =>
    Promise.all(
      Array.from({ length: count * 4 }, (_, index) =>
        writer.submit(start(newPlace(ledger.partitions, index % 4))),
      ),
    );

  test('whose reader takes nothing holds no connection, and what its reader gets is of then', async () => {
    await fill(300);
    const pool = ledger.servicePool(1, { connectMs: 500 });
    const snapshots = new Snapshots(pool);
    const stalled = Array.from({ length: 10 }, () => snapshots.take());
    const heads = await Promise.all(stalled.map((one) => one.next()));
    expect([pool.totalCount - pool.idleCount, pool.waitingCount]).toEqual([0, 0]);
    await fill(10);
    expect(sizes(await take(snapshots))).toEqual([310, 310, 310, 310]);
    for (const [index, one] of stalled.entries()) {
      const { position } = heads[index]!.value as { position: Position };
      const rows: unknown[] = [];
      for (let next = await one.next(); !next.done && !('position' in next.value); next = await one.next())
        rows.push(next.value);
      expect([position, rows.length]).toEqual([{ partition: 0, sequence: 300 }, 300]);
      await one.return(undefined);
    }
  });

  test('of more than may wait in memory is read as its reader takes it', async () => {
    await fill(1_200);
    expect(sizes(await take(small(ledger.servicePool(1), {})))).toEqual([1_200, 1_200, 1_200, 1_200]);
  });

  test('whose connection is lost while its reader takes its time fails alone', async () => {
    await fill(501);
    const snapshots = small(ledger.servicePool(2), {});
    const parts: unknown[] = [];
    const lost = take(snapshots, async () => {
      parts.push(undefined);
      if (parts.length > 1) return;
      await ledger.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'session-ledger' and pid <> pg_backend_pid()`,
      );
      await sleep(200); // it is told so while it asks for nothing
    });
    await expect(lost).rejects.toMatchObject({ name: 'LogError', code: 'unavailable' });
    expect((await take(snapshots)).length).toBe(4);
  });

  test('is refused while too many are being read, or too much waits for their readers; whoever goes makes room', async () => {
    await fill(2);
    for (const limits of [{ readers: 2 }, { aheadOfAll: 1 }]) {
      const snapshots = small(ledger.servicePool(2), { ahead: 1 << 20, ...limits });
      const reading = [snapshots.take(), snapshots.take()];
      await Promise.all(reading.map((one) => one.next()));
      await expect(snapshots.take().next()).rejects.toMatchObject({ code: 'overloaded' });
      for (const one of reading) await one.return(undefined);
      expect(sizes(await take(snapshots))).toEqual([2, 2, 2, 2]);
    }
  });

  test('that its reader gives up halfway gives its connection back', async () => {
    await fill(501);
    const pool = ledger.servicePool(1, { connectMs: 500 });
    const single = new History(pool, small(pool, {}));
    for (let times = 0; times < 3; times += 1) for await (const _ of single.snapshot()) break;
    expect(await single.session(newSessionId(0), 'acme')).toBeUndefined();
  });
});
