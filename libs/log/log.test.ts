import { createHash } from 'node:crypto';
import { Frontier, leafHash, rootOf } from '#audit';
import { partitionOfSession } from '#session';
import { History, type LedgerWriter, newSessionId } from './index.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { brokenPromises } from './testing/promises.js';
import { groupBy, readLog } from './testing/stored-log.js';
import { debug, newPlace, placeOf, rotate, sessionOf, start, withAttributes } from './testing/submissions.js';

let ledger: TestLedger;
let writer: LedgerWriter;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer({ maxBatch: 64 });
});
afterEach(async () => {
  const broken = await brokenPromises(ledger.pool);
  await ledger.close();
  expect(broken).toEqual([]);
});

const heads = async () => (await ledger.pool.query('select * from ledger.heads order by partition')).rows;

test('every head holds the root of its events, after every batch', async () => {
  const places = Array.from({ length: 8 }, () => newPlace(ledger.partitions));
  const roots = new Map<string, Buffer>();
  for (let round = 1; round <= 40; round += 1) {
    await Promise.all(places.slice(0, 1 + (round % 8)).map((place) => writer.submit(start(place))));
    for (const { partition, sequence, frontier } of await heads())
      roots.set(`${partition}:${sequence}`, Frontier.restore(sequence, frontier).root());
  }
  await Promise.all(Array.from({ length: 2_000 }, (_, index) => writer.submit(start(places[index % 8]!))));
  for (const [partition, events] of groupBy(await readLog(ledger.pool), (event) => event.partition)) {
    const leaves = events.map(({ bytes }) => leafHash(bytes));
    for (const [position, root] of roots) {
      const [of, size] = position.split(':').map(Number);
      if (of === partition) expect(root).toEqual(rootOf(leaves.slice(0, size)));
    }
  }
});

test('a partition without events has the root of the empty tree', async () => {
  const place = newPlace(ledger.partitions, 1);
  await writer.submit(start(place));
  expect((await heads()).map(({ sequence, frontier }) => [sequence, frontier.length])).toEqual([
    [0, 0],
    [1, 32],
    [0, 0],
    [0, 0],
  ]);
});

test('the log holds no details, only the SHA-256 of salt and details', async () => {
  const place = newPlace(ledger.partitions);
  const secret = '{"note":"Zoë’s ☎ is 555"}';
  const submission = withAttributes(start(place), secret);
  const session = sessionOf(await writer.submit(submission));
  const { rows } = await ledger.pool.query('select * from ledger.details');
  expect(rows).toMatchObject([{ partition: place.partition, body: secret }]);
  const digest = createHash('sha256').update(rows[0].salt).update(secret).digest('base64url');
  expect(session.attributesDigest).toBe(digest);
  expect(rows[0].salt.length).toBeGreaterThanOrEqual(16);
  expect((await readLog(ledger.pool)).map(({ bytes }) => bytes.toString()).join()).not.toContain('Zoë');
});

test('details of a start that was refused or joined are not kept', async () => {
  const place = newPlace(ledger.partitions);
  await writer.submit(start(place));
  for (const onConflict of ['reject', 'join'] as const)
    await writer.submit(withAttributes(start(place, { onConflict, owner: debug }), '{}'));
  expect((await ledger.pool.query('select * from ledger.details')).rows).toEqual([]);
});

test('session ids carry their partition, are UUIDv7 and never the same', () => {
  for (const partition of [0, 1, 15, 255, 4_095]) {
    const ids = Array.from({ length: 1_000 }, () => newSessionId(partition));
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(partitionOfSession(id)).toBe(partition);
    }
  }
});

describe('a scope', () => {
  test.each([
    ['256 characters of four bytes each', '🚲'.repeat(256)],
    ['256 characters that all have to be encoded', '%"\\/{},\''.repeat(32)],
    ['one character', '~'],
    ['SQL and array syntax', `'); drop table x; -- {,}NULL`],
  ])('may have parts of %s', async (_, part) => {
    const place = placeOf(ledger.partitions, part, { tenant: part, projectId: part });
    const first = sessionOf(await writer.submit(start(place)));
    expect(first.scope).toEqual({ userId: part, projectId: part });
    const next = sessionOf(await writer.submit({ ...rotate(first), tenant: part }));
    expect(await new History(ledger.pool).session(next.sessionId, part)).toEqual({
      session: next,
      scopeKey: place.scopeKey,
    });
    expect(await new History(ledger.pool).events(place.scopeKey, 0, 10)).toHaveLength(2);
  });

  test('is found by its user: scopes of one user lie together', async () => {
    const places = ['a', 'b', 'c'].map((projectId) => placeOf(ledger.partitions, 'one user', { projectId }));
    await Promise.all(places.map((place) => writer.submit(start(place))));
    const { rows } = await ledger.pool.query('select distinct left(scope_id::text, 8) from ledger.scopes');
    expect(rows).toHaveLength(1);
  });
});
