import { startService } from '../support/service.js';
import { record } from './figures.js';
import { callersOf, isObeyed, isRefused, quantile, starts, timesOf, usersOf } from './load.js';

const order = { path: starts.path, groups: [{ body: starts.body, users: usersOf(20_000) }] };
const CROWDS = [4_000, 5_000];

test('of twice as many commands as can be obeyed, what is taken is answered in time and the rest is refused at once', async () => {
  const service = await startService();
  const [callers, prober] = [callersOf(service), callersOf(service)];
  const alone = await callers.call({ ...order, connections: 64, rampMs: 2_000, ms: 6_000 });
  const more = await callers.call({ ...order, connections: 256, rampMs: 1_000, ms: 6_000 });
  const perSecond = (told: typeof alone, seconds: number) => timesOf(told, isObeyed).length / seconds;
  const best = Math.max(perSecond(alone, 6), perSecond(more, 6));
  const unloaded = quantile(timesOf(alone, isObeyed), 0.99);

  const judged: (() => void)[] = [];
  for (const connections of CROWDS) {
    const crowd = { ...order, connections, rate: 2 * best };
    const [told, live] = await Promise.all([
      callers.call({ ...crowd, rampMs: 5_000, ms: 10_000 }),
      prober.call({
        path: '/health/live',
        method: 'GET',
        groups: [{}],
        connections: 4,
        rate: 50,
        rampMs: 5_000,
        ms: 10_000,
      }),
    ]);
    const load = `${connections} connections, twice the capacity`;
    const obeyed = perSecond(told, 10);
    const taken = quantile(timesOf(told, isObeyed), 0.99);
    const refused = [0, ...timesOf(told, isRefused)]; // of none refused the longest took no time
    const slowLive = quantile(timesOf(live, isObeyed), 0.99);
    record({ load, measure: 'live p99, ms', under: slowLive, bound: '≤ 250' });
    record({ load, measure: 'taken commands p99, ms', before: unloaded, under: taken, bound: '≤ 3×' });
    record({ load, measure: 'refused, p99, ms', under: quantile(refused, 0.99), bound: '≤ 500' });
    record({ load, measure: 'commands obeyed a second', before: best, under: obeyed, bound: '≥ 0.9×' });
    judged.push(() => {
      expect(told[0]!.unadvised).toBe(0);
      expect(slowLive).toBeLessThan(250);
      expect(taken / unloaded).toBeLessThan(3);
      expect(quantile(refused, 0.99)).toBeLessThan(500);
      expect(obeyed / best).toBeGreaterThan(0.9);
    });
  }
  for (const judge of judged) judge();
}, 180_000);
