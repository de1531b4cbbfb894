import { startService } from '../support/service.js';
import { record } from './figures.js';
import { readFor, run, saidBy, seed } from './running.js';

const USERS = 1_000;

test.each([
  [2_000, 2],
  [5_000, 10],
])(
  '%d watchers of a scope, %d events a second',
  async (watchers, pace) => {
    const load = `${watchers.toLocaleString('en')} watchers of one scope, ${pace} events/s`;
    const { url } = await startService();
    await seed(url, USERS);
    await readFor(url, USERS, 3_000);
    const happening = (ms: number) => run('events', url, 'watched', pace, ms);
    const quiet = happening(10_000);
    const before = await readFor(url, USERS, 10_000);
    await quiet.exited;

    const watching = run('watch', url, 'watched', watchers);
    await watching.waitForLine(/open/, 120_000);
    const events = happening(12_000);
    const under = await readFor(url, USERS, 10_000);
    await events.exited;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    void watching.kill('SIGTERM');
    const seen = await saidBy<{ events: number; short: number; lost: number; worst: number }>(watching);

    record({
      load,
      measure: 'reads p50, ms',
      before: before.reads.p50,
      under: under.reads.p50,
      bound: '≤ 2×',
    });
    record({ load, measure: 'reads p99, ms', before: before.reads.p99, under: under.reads.p99, bound: '' });
    record({ load, measure: 'event to last watcher, ms', under: seen.worst, bound: '≤ 1,000' });
    record({ load, measure: 'watchers dropped', under: seen.lost, bound: '0' });
    expect([seen.lost, seen.short, under.reads.failed]).toEqual([0, 0, 0]);
    expect(seen.events).toBeGreaterThan(4 * pace); // two events of a command have one time
    expect(under.reads.p50).toBeLessThan(before.reads.p50 * 2);
    expect(seen.worst).toBeLessThan(1_000);
  },
  400_000,
);
