import { startService } from '../support/service.js';
import { callersOf, isObeyed, starts, timesOf, usersOf } from './load.js';

/** How long starts take of 4 callers, in milliseconds: by themselves and beside what a crowd asks, in turns. */
export async function startsBeside(crowded: Omit<Parameters<ReturnType<typeof callersOf>['call']>[0], 'ms'>) {
  const service = await startService();
  const [one, crowd] = [callersOf(service), callersOf(service)];
  const order = { path: starts.path, groups: [{ body: starts.body, users: usersOf(1_000) }], connections: 4 };
  const [before, under]: [number[], number[]] = [[], []];
  await one.call({ ...order, ms: 3_000 });
  for (let turn = 0; turn < 3; turn++) {
    before.push(...timesOf(await one.call({ ...order, ms: 3_000 }), isObeyed));
    const [told, answered] = await Promise.all([
      one.call({ ...order, rampMs: 500, ms: 4_000 }),
      crowd.call({ ...crowded, ms: 5_000 }),
    ]);
    under.push(...timesOf(told, isObeyed));
    expect(timesOf(answered, isObeyed).length).toBeGreaterThan(0);
  }
  return { before, under };
}
