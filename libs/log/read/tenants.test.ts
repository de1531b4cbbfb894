import type pg from 'pg';
import { query, smallints, texts, uuids } from '#postgres';
import { keysOf, partitionOfSession, type Session } from '#session';
import { LedgerWriter } from '../index.js';
import { statement } from '../statements.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { end, keyed, newPlace, sessionOf, start, withAttributes } from '../testing/submissions.js';
import { Finder } from './finder.js';
import { History } from './history.js';

// What a statement says of a session, whoever names it, is the tenant's alone: a check that was forgotten above it would
// find nothing.
let ledger: TestLedger;
let pool: pg.Pool;
let writer: LedgerWriter;
let session: Session;

beforeAll(async () => {
  ledger = await openTestLedger();
  pool = ledger.servicePool(2);
  writer = ledger.writer();
  session = sessionOf(await writer.submit(start(newPlace(ledger.partitions))));
});
afterAll(() => ledger.close());

// One begins like the other, one holds what a pattern would match, one is nobody.
const OTHERS = ['acm', 'acme2', 'a%', '_cme', 'acme/', '', 'ACME'];

test('a session is read and found by its id in its own tenant only', async () => {
  const { sessionId } = session;
  expect(await new History(pool).session(sessionId, 'acme')).toMatchObject({ session });
  expect((await new Finder(pool).bySession([sessionId], 'acme')).size).toBe(1);
  for (const tenant of OTHERS) {
    expect([tenant, await new History(pool).session(sessionId, tenant)]).toEqual([tenant, undefined]);
    expect([tenant, (await new Finder(pool).bySession([sessionId], tenant)).size]).toEqual([tenant, 0]);
  }
});

test('a command loads a session for its own tenant only, and for the ledger itself', async () => {
  const { sessionId } = session;
  const partition = partitionOfSession(sessionId);
  const loaded = async (keys: string) =>
    (
      await query(pool, statement('load_sessions'), [
        smallints([partition]),
        uuids([sessionId]),
        texts([keys]),
      ])
    ).rows.length;
  expect(await loaded(keysOf('acme'))).toBe(1);
  expect(await loaded('')).toBe(1);
  for (const tenant of OTHERS) expect([tenant, await loaded(keysOf(tenant))]).toEqual([tenant, 0]);
});

test('a handle means something in its own tenant only', async () => {
  const { rows } = await ledger.pool.query<{ hash: string }>(
    `insert into ledger.handles (hash, partition, scope_id, session_id, digest)
     select 'a hash', partition, scope_id, null, 'a digest' from ledger.scopes limit 1 returning hash`,
  );
  const hashes = rows.map(({ hash }) => hash);
  expect((await new Finder(pool).byHandle(hashes, 'acme')).size).toBe(1);
  for (const tenant of OTHERS)
    expect([tenant, (await new Finder(pool).byHandle(hashes, tenant)).size]).toEqual([tenant, 0]);
});

test('attributes, and stops that were not obeyed, are read in their own tenant only', async () => {
  const place = newPlace(ledger.partitions);
  const old = sessionOf(await writer.submit(withAttributes(start(place), '{"a":1}')));
  await writer.submit(start(place));
  await writer.submit(end(old, { origin: { environment: 'a' } }));
  const history = new History(pool);
  const { sessionId, attributesDigest = '' } = old;
  const told = (tenant: string) =>
    Promise.all([
      history.attributes(place.partition, attributesDigest, tenant),
      history.refusals(sessionId, tenant, 9).then(({ length }) => length),
    ]);
  expect(await told('acme')).toEqual(['{"a":1}', 1]);
  for (const tenant of OTHERS) expect([tenant, await told(tenant)]).toEqual([tenant, [undefined, 0]]);
});

test('an idempotency key is known in its own tenant only', async () => {
  const place = newPlace(ledger.partitions);
  const sent = keyed(start(place), 'a key');
  await writer.submit(sent);
  const known = async (keys: string) =>
    (await query(pool, statement('load_receipts'), [uuids([sent.receipt!.key]), texts([keys])])).rows.length;
  expect(await known(keysOf('acme'))).toBe(1);
  for (const tenant of OTHERS) expect([tenant, await known(keysOf(tenant))]).toEqual([tenant, 0]);
});
