import { record } from './figures.js';
import { median, quantile } from './load.js';
import { startsBeside } from './starts-beside.js';

const LOAD = '16 lists of 1,000 renewals of unknown sessions';
const LISTS = 16;

const list = JSON.stringify(
  Array.from({ length: 1_000 }, (_, one) => ({
    sessionId: `01920000-0000-7${(one % 16).toString(16).padStart(3, '0')}-8000-${String(one).padStart(12, '0')}`,
    epoch: 1,
  })),
);

test('long lists leave room for everybody else', async () => {
  const lists = { path: '/v1/leases/renew', groups: [{ body: list }], connections: LISTS };
  const { before, under } = await startsBeside(lists);
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
