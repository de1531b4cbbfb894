import { ask } from '../support/http.js';
import { startService } from '../support/service.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';
import { record } from './figures.js';
import { readFor, run, saidBy, seed } from './running.js';

const LOAD = '10 clients that never read a snapshot of 14 MB';
const USERS = 5_000;

test('clients that never read a snapshot cost the others nothing', async () => {
  const { url } = await startService();
  await seed(url, USERS, 1, 2_000);
  await readFor(url, USERS, 3_000);
  const before = await readFor(url, USERS, 15_000);
  const lateBefore = await lateLapse(url);

  const silent = run('never-read', url, '/v1/snapshot', 10);
  await silent.waitForLine(/asked/);
  const slow = run('slow-snapshot', url, 100_000);
  const under = await readFor(url, USERS, 15_000);
  const lateUnder = await lateLapse(url);
  const { whole, seconds } = await saidBy<{ whole: boolean; seconds: number }>(slow);
  await silent.kill();

  const both = { load: LOAD };
  record({
    ...both,
    measure: 'reads p50, ms',
    before: before.reads.p50,
    under: under.reads.p50,
    bound: '≤ 2×',
  });
  record({
    ...both,
    measure: 'reads p99, ms',
    before: before.reads.p99,
    under: under.reads.p99,
    bound: '≤ 2×',
  });
  record({
    ...both,
    measure: 'reads refused',
    before: before.reads.failed,
    under: under.reads.failed,
    bound: '0',
  });
  record({
    ...both,
    measure: 'ready refused',
    before: before.health.failed,
    under: under.health.failed,
    bound: '0',
  });
  record({ ...both, measure: 'lapse too late by, s', before: lateBefore, under: lateUnder, bound: '≤ 1' });
  record({
    ...both,
    measure: 'a reader at 100 kB/s gets all of it, s',
    under: whole ? seconds : 0,
    bound: '> 0',
  });
  expect([under.reads.failed, under.health.failed, whole]).toEqual([0, 0, true]);
  expect(lateUnder).toBeLessThan(1);
  expect(under.reads.p50).toBeLessThan(before.reads.p50 * 2);
  expect(under.reads.p99).toBeLessThan(before.reads.p99 * 2);
}, 600_000);

/** Longest that is waited for a lapse, in seconds. */
const MOST = 60;

/** By how many seconds a lease of 2 s lapses too late, at most a minute. */
async function lateLapse(url: string): Promise<number> {
  const userId = newUser();
  const lease = { seconds: 2, onLapse: 'end' };
  await ask<CommandBody>(`${url}/v1/sessions`, { body: { userId, owner: cloudDev, lease } });
  const began = performance.now();
  const late = () => (performance.now() - began) / 1_000 - 2;
  const address = `${url}/v1/current?userId=${userId}`;
  while (late() < MOST && (await ask(address)).status !== 404)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return late();
}
