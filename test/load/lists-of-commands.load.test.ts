import { startService } from '../support/service.js';
import { record } from './figures.js';
import { callersOf, isObeyed, median, quantile, starts, timesOf, usersOf } from './load.js';

const LISTS = 4;
const LOAD = `${LISTS} lists of 500 starts at a time, as many as one client sends`;

const list = JSON.stringify({
  commands: usersOf(500).map((userId) => ({
    operation: 'startSession',
    body: { userId, owner: { environment: 'cloud-live' } },
  })),
});

test("lists of commands of one caller leave others' answers in time", async () => {
  const service = await startService();
  const [one, crowd] = [callersOf(service), callersOf(service)];
  const order = { path: starts.path, groups: [{ body: starts.body, users: usersOf(1_000) }], connections: 4 };
  const lists = { path: '/v1/commands', groups: [{ body: list }], connections: LISTS };
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
  for (const [measure, of] of [
    ["others' p50, ms", median],
    ["others' p99, ms", (times: number[]) => quantile(times, 0.99)],
  ] as const)
    record({ load: LOAD, measure, before: of(before), under: of(under), bound: '≤ 2×' });
  expect(quantile(under, 0.99) / quantile(before, 0.99)).toBeLessThan(2);
});
