import { startService } from '../support/service.js';
import { record } from './figures.js';
import { readFor, run, seed } from './running.js';

const LOADS = [
  ['follow', '100 followers that read the feed stream from its beginning'],
  ['page', '100 followers that read pages of the feed from its beginning'],
] as const;
const [USERS, TIMES] = [10_000, 4];

test.each(LOADS)(
  '%s: %s let the others go first',
  async (name, LOAD) => {
    const { url } = await startService();
    await seed(url, USERS, TIMES);
    await readFor(url, USERS, 3_000);
    const before = await readFor(url, USERS, 10_000);
    const following = run(name, url, 100, 16);
    await following.waitForLine(/bytes/);
    const under = await readFor(url, USERS, 10_000);
    const last = JSON.parse(following.lines.at(-1) ?? '{}');
    await following.kill();

    record({
      load: LOAD,
      measure: 'reads p50, ms',
      before: before.reads.p50,
      under: under.reads.p50,
      bound: '≤ 2×',
    });
    record({
      load: LOAD,
      measure: 'reads p99, ms',
      before: before.reads.p99,
      under: under.reads.p99,
      bound: '',
    });
    record({
      load: LOAD,
      measure: 'reads refused',
      before: before.reads.failed,
      under: under.reads.failed,
      bound: '0',
    });
    record({
      load: LOAD,
      measure: 'ready refused',
      before: before.health.failed,
      under: under.health.failed,
      bound: '0',
    });
    record({ load: LOAD, measure: 'what they got meanwhile, MB', under: last.bytes / 1e6, bound: '> 0' });
    record({ load: LOAD, measure: 'followers dropped', under: last.ended, bound: '0' });
    expect([under.reads.failed, under.health.failed, last.ended]).toEqual([0, 0, 0]);
    expect(under.reads.p50).toBeLessThan(before.reads.p50 * 2);
  },
  400_000,
);
