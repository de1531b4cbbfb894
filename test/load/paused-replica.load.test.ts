import { setTimeout as pause } from 'node:timers/promises';
import { execute } from '../support/database.js';
import { startService } from '../support/service.js';
import { within } from '../support/until.js';
import { record } from './figures.js';
import { callersOf, isObeyed, starts, timesOf, usersOf } from './load.js';

const LOAD = 'a paused replica that holds heads';
const HELD = [3, 9];
const partitions = Array.from({ length: 16 }, (_, partition) => partition);
const body = starts.body;
const groups = partitions.map((partition) => ({ body, users: usersOf(20, partition) }));
const ofHeld = HELD.map((partition) => ({ body, users: usersOf(20, partition) }));

test('a replica that is paused while it holds heads holds up those partitions only, and not for long', async () => {
  const paused = await startService();
  const { databaseUrl } = paused;
  const service = await startService({ databaseUrl });
  const [its, ours] = [callersOf(paused), callersOf(service)];
  const order = { path: starts.path, groups, connections: 64 };
  const before = await ours.call({ ...order, rampMs: 2_000, ms: 5_000 });
  // The one that will be paused only ever works on two partitions.
  const its64 = its.call({ path: starts.path, groups: ofHeld, connections: 8, ms: 120_000 }).catch(() => {});
  await within(60_000).until(async () => {
    paused.process.child.kill('SIGSTOP');
    await pause(30);
    if (await holdsAHead(databaseUrl)) return true;
    paused.process.child.kill('SIGCONT');
    await pause(5 + Math.random() * 20);
    return false;
  });
  const under = await ours.call({ ...order, ms: 10_000 });
  paused.process.child.kill('SIGCONT');
  its.end();
  ours.end();
  await Promise.race([its64, pause(100)]);

  const isHeld = (each: number) => HELD.includes(each);
  const slowest = (told: typeof under, wanted: (partition: number) => boolean) =>
    Math.max(
      ...timesOf(
        told.filter((_, each) => wanted(each)),
        () => true,
      ),
    );
  const count = (told: typeof under) =>
    timesOf(
      told.filter((_, each) => !isHeld(each)),
      isObeyed,
    ).length;
  const others = (each: number) => !isHeld(each);
  record({
    load: LOAD,
    measure: 'commands a second of other partitions',
    before: count(before) / 5,
    under: count(under) / 10,
    bound: '≥ 0.5×',
  });
  record({
    load: LOAD,
    measure: 'the longest that one of them took, ms',
    before: slowest(before, others),
    under: slowest(under, others),
    bound: '≤ 1,000',
  });
  record({
    load: LOAD,
    measure: 'the longest in a partition that it held, ms',
    under: slowest(under, isHeld),
    bound: '≤ 3,000',
  });
  expect(slowest(under, others)).toBeLessThan(1_000);
  expect(slowest(under, isHeld)).toBeLessThan(3_000);
  expect(count(under) / 10 / (count(before) / 5)).toBeGreaterThan(0.5);
});

async function holdsAHead(databaseUrl: string): Promise<boolean> {
  const { rows } = await execute(
    databaseUrl,
    `select count(*)::int as free from (select from ledger.heads where partition = any($1) for update skip locked) as free`,
    [HELD],
  );
  return rows[0].free < HELD.length;
}
