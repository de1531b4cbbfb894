import { newSessionId, Reports } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { newPlace, type Place, sessionOf, start } from '../testing/submissions.js';

let ledger: TestLedger;
beforeEach(async () => {
  ledger = await openTestLedger();
});
afterEach(() => ledger.close());

const about = ({ scopeKey, partition }: Place, consumer = 'app') => ({
  ...{ consumer, scopeKey, partition, sessionId: newSessionId(partition) },
});
const held = async (reports: Reports, tenant: string) =>
  (await reports.outOfSync(tenant, { limit: 500 })).list.map(({ scopeKey }) => scopeKey);

test('a tenant’s oldest reports are forgotten beyond its bound; those of others stay', async () => {
  const reports = new Reports(ledger.servicePool(2), 10);
  const places = Array.from({ length: 15 }, () => newPlace(ledger.partitions));
  expect(await reports.take('other', [about(places[0]!)])).toEqual({ taken: 1, dropped: 0 });
  for (const place of places.slice(0, 10)) await reports.take('acme', [about(place)]);
  expect(await reports.take('acme', [about(places[0]!)])).toEqual({ taken: 1, dropped: 0 }); // young again
  expect(
    await reports.take(
      'acme',
      places.slice(10, 13).map((place) => about(place)),
    ),
  ).toEqual({
    taken: 3,
    dropped: 3,
  });
  const left = [places[0]!, ...places.slice(4, 13)].map(({ scopeKey }) => scopeKey);
  expect((await held(reports, 'acme')).sort()).toEqual(left.sort());
  expect(await held(reports, 'other')).toEqual([places[0]!.scopeKey]);
});

test('what was not renewed in time does not count, and goes with the next that is new', async () => {
  const reports = new Reports(ledger.servicePool(2), 10, 3_600);
  const [old, young, next] = [
    newPlace(ledger.partitions),
    newPlace(ledger.partitions),
    newPlace(ledger.partitions),
  ];
  await reports.take('acme', [about(old), about(young)]);
  const age = "update ledger.reports set reported_at = reported_at - interval '1 hour' where scope_key = $1";
  await ledger.pool.query(age, [old.scopeKey]);
  expect(await reports.figures('acme')).toMatchObject([{ unknown: 1 }]);
  expect(await held(reports, 'acme')).toEqual([young.scopeKey]);
  expect(await reports.take('acme', [about(next)])).toEqual({ taken: 1, dropped: 0 });
  const { rows } = await ledger.pool.query('select scope_key from ledger.reports order by scope_key');
  expect(rows.map(({ scope_key }) => scope_key)).toEqual([young.scopeKey, next.scopeKey].sort());
  await ledger.pool.query(age, [young.scopeKey]);
  await reports.take('acme', [about(young)]); // renewed
  expect((await held(reports, 'acme')).sort()).toEqual([young.scopeKey, next.scopeKey].sort());
});

test('a consumer takes its reports back: that about a scope, or all; those of others stay', async () => {
  const reports = new Reports(ledger.servicePool(2));
  const [one, two] = [newPlace(ledger.partitions), newPlace(ledger.partitions)];
  await reports.take('acme', [about(one), about(two), about(one, 'other')]);
  await reports.take('other', [about(one)]);
  expect(await reports.withdraw('acme', 'app', one)).toBe(1);
  expect(await reports.withdraw('acme', 'app', one)).toBe(0);
  expect((await held(reports, 'acme')).sort()).toEqual([one.scopeKey, two.scopeKey].sort());
  expect(await reports.withdraw('acme', 'app')).toBe(1);
  expect(await reports.figures('acme')).toMatchObject([{ consumer: 'other' }]);
  expect(await reports.figures('other')).toMatchObject([{ consumer: 'app' }]);
});

test('a tenant never sees what another one has reported', async () => {
  const reports = new Reports(ledger.servicePool(2));
  const place = newPlace(ledger.partitions);
  const { sessionId } = sessionOf(await ledger.writer().submit(start(place)));
  await reports.take('acme', [{ ...about(place), sessionId }]);
  expect(await reports.figures('acme')).toEqual([{ consumer: 'app', inSync: 1, outOfSync: 0, unknown: 0 }]);
  expect(await reports.figures('other')).toEqual([]);
});

test('many at once, in whatever order, never wait for each other in a circle', async () => {
  const reports = new Reports(ledger.servicePool(8));
  const places = Array.from({ length: 500 }, () => newPlace(ledger.partitions));
  const take = (_: unknown, n: number) =>
    reports.take(
      'acme',
      (n % 2 ? [...places].reverse() : places).map((place) => about(place)),
    );
  await Promise.all(Array.from({ length: 16 }, take));
  expect((await reports.figures('acme'))[0]?.unknown).toBe(500);
});
