import { startService } from '../support/service.js';
import { record } from './figures.js';
import { callersOf, isObeyed, median, quantile, starts, timesOf, usersOf } from './load.js';

const LOAD = '16 lists of 1,000 renewals of unknown sessions';
const LISTS = 16;

const list = JSON.stringify(
  Array.from({ length: 1_000 }, (_, one) => ({
    sessionId: `01920000-0000-7${(one % 16).toString(16).padStart(3, '0')}-8000-${String(one).padStart(12, '0')}`,
    epoch: 1,
  })),
);

test('long lists leave room for everybody else', async () => {
  const service = await startService();
  const [one, crowd] = [callersOf(service), callersOf(service)];
  const order = { path: starts.path, groups: [{ body: starts.body, users: usersOf(1_000) }], connections: 4 };
  const lists = { path: '/v1/leases/renew', groups: [{ body: list }], connections: LISTS };
  const [before, under]: [number[], number[]] = [[], []];
  await one.call({ ...order, ms: 3_000 });
  for (let turn = 0; turn < 3; turn++) {
    before.push(...timesOf(await one.call({ ...order, ms: 3_000 }), isObeyed));
    const [told, answered] = await Promise.all([
      one.call({ ...order, rampMs: 500, ms: 4_000 }),
      crowd.call({ ...lists, ms: 5_000 }),
    ]);
    under.push(...timesOf(told, isObeyed));
    expect(timesOf(answered, isObeyed).length).toBeGreaterThan(0);
  }
  record({
    load: LOAD,
    measure: "another client's p50, ms",
    before: median(before),
    under: median(under),
    bound: '≤ 2×',
  });
  record({
    load: LOAD,
    measure: 'its p99, ms',
    before: quantile(before, 0.99),
    under: quantile(under, 0.99),
    bound: '',
  });
  expect(median(under) / median(before)).toBeLessThan(2);
});
