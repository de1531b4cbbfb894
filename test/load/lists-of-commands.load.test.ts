import { record } from './figures.js';
import { median, quantile, usersOf } from './load.js';
import { startsBeside } from './starts-beside.js';

const LISTS = 4;
const LOAD = `${LISTS} lists of 500 starts at a time, as many as one client sends`;

const list = JSON.stringify({
  commands: usersOf(500).map((userId) => ({
    operation: 'startSession',
    body: { userId, owner: { environment: 'cloud-live' } },
  })),
});

test("lists of commands of one caller leave others' answers in time", async () => {
  const lists = { path: '/v1/commands', groups: [{ body: list }], connections: LISTS };
  const { before, under } = await startsBeside(lists);
  for (const [measure, of] of [
    ["others' p50, ms", median],
    ["others' p99, ms", (times: number[]) => quantile(times, 0.99)],
  ] as const)
    record({ load: LOAD, measure, before: of(before), under: of(under), bound: '≤ 2×' });
  expect(quantile(under, 0.99) / quantile(before, 0.99)).toBeLessThan(2);
});
