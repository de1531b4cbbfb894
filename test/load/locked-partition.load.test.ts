import pg from 'pg';
import { startService } from '../support/service.js';
import { record } from './figures.js';
import { callersOf, isObeyed, isRefused, quantile, starts, timesOf, usersOf } from './load.js';

const LOAD = 'one head row locked for 20 s';
const LOCKED = 6;
const partitions = Array.from({ length: 16 }, (_, partition) => partition);
const groups = partitions.map((partition) => ({ body: starts.body, users: usersOf(20, partition) }));

test('a head that is locked for 20 s holds up its own partition only, and its callers are told in time', async () => {
  const service = await startService();
  const callers = callersOf(service);
  const order = { path: starts.path, groups, connections: 64, rampMs: 2_000 };
  const before = await callers.call({ ...order, ms: 8_000 });
  const holder = new pg.Client({ connectionString: service.databaseUrl });
  await holder.connect();
  await holder.query('begin');
  await holder.query('select from ledger.heads where partition = $1 for update', [LOCKED]);
  const under = await callers.call({ ...order, rampMs: 0, ms: 20_000 });
  await holder.end();
  callers.end();

  const others = partitions.filter((partition) => partition !== LOCKED);
  const p99 = (told: typeof under) =>
    quantile(
      timesOf(
        others.map((each) => told[each]!),
        isObeyed,
      ),
      0.99,
    );
  const refused = timesOf(
    others.map((each) => under[each]!),
    isRefused,
  ).length;
  const broken = under.reduce((sum, each) => sum + each.broken, 0);
  const [mine] = under.slice(LOCKED);
  const latest = Math.max(...timesOf([mine!], () => true));
  record({
    load: LOAD,
    measure: 'commands of other partitions refused',
    under: refused + broken,
    bound: '0',
  });
  record({ load: LOAD, measure: 'their p99, ms', before: p99(before), under: p99(under), bound: '≤ 2×' });
  record({ load: LOAD, measure: 'latest answer of the locked one, ms', under: latest, bound: '≤ 5,500' });
  expect(refused + broken).toBe(0);
  expect(mine!.times['503']?.length).toBeGreaterThan(0);
  expect(mine!.unadvised).toBe(0);
  expect(latest).toBeLessThan(5_500);
  expect(p99(under) / p99(before)).toBeLessThan(2);
});
