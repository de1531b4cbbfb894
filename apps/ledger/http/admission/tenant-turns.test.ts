import { EventEmitter } from 'node:events';
import { TenantTurns } from './tenant-turns.js';

let now: number;
let turns: TenantTurns;
let served: string[];
beforeEach(() => {
  now = 0;
  served = [];
  turns = new TenantTurns(() => now);
});

/** Asks so many times; those that wait are served later. */
function ask(tenant: string, times: number): Promise<void>[] {
  return Array.from({ length: times }, async (_, index) => {
    const turn = turns.enter(tenant, true, new EventEmitter());
    if (turn) await turn;
    served.push(`${tenant} ${index}`);
  });
}
const settled = () => new Promise((resolve) => setImmediate(resolve));
const lastOf = (tenant: string) => served.filter((one) => one.startsWith(tenant)).at(-1);

test('a tenant that asks alone is served at once, however often it asks', async () => {
  ask('blue', 5_000);
  await settled();
  expect(served).toHaveLength(5_000);
  expect(turns.waitingCommands).toBe(0);
});

test('while another one asks, 16 of a tenant are served at once, and the next as it came when one is answered', async () => {
  ask('red', 1);
  ask('blue', 100);
  await settled();
  expect([lastOf('blue'), turns.waitingCommands]).toEqual(['blue 15', 84]);
  // Nobody waits behind them.
  ask('red', 15);
  await settled();
  expect(served.filter((one) => one.startsWith('red'))).toHaveLength(16);
  turns.leave('blue');
  await settled();
  expect([lastOf('blue'), turns.waitingCommands]).toEqual(['blue 16', 83]);
});

test('two that have many in line are served twice as many each, and eight as many as one', async () => {
  const ofCrowds = async (count: number) => {
    turns = new TenantTurns(() => now);
    served = [];
    const tenants = Array.from({ length: count }, (_, index) => `tenant-${index}`);
    ask('light', 1);
    for (const tenant of tenants) ask(tenant, 200);
    for (let answered = 0; answered < 50; answered += 1) for (const tenant of tenants) turns.leave(tenant);
    await settled();
    return tenants.map((tenant) => served.filter((one) => one.startsWith(`${tenant} `)).length - 50);
  };
  expect(await ofCrowds(2)).toEqual([32, 32]);
  expect(await ofCrowds(8)).toEqual(Array(8).fill(16));
});

test('who was served alone before the other one came goes on, and what comes then waits', async () => {
  ask('blue', 100);
  ask('red', 1);
  await settled();
  expect(served).toHaveLength(101);
  ask('blue', 1);
  for (let left = 0; left < 84; left += 1) turns.leave('blue');
  await settled();
  expect(turns.waitingCommands).toBe(1);
  turns.leave('blue');
  await settled();
  expect(turns.waitingCommands).toBe(0);
});

test('a second after the other one asked all that wait are served', async () => {
  ask('red', 1);
  ask('blue', 100);
  now = 1_000;
  turns.leave('blue');
  await settled();
  expect([lastOf('blue'), turns.waitingCommands]).toEqual(['blue 99', 0]);
});

test('of those that wait in line the 1,025th is refused, late', async () => {
  ask('red', 1);
  const asked = ask('blue', 16 + 1_024 + 1);
  const begun = performance.now();
  await expect(asked.at(-1)).rejects.toMatchObject({ code: 'overloaded' });
  expect(performance.now() - begun).toBeGreaterThan(240);
  expect(turns.waitingCommands).toBe(1_024);
});

test('of refusals 2,000 wait to be told, and the next is told at once', async () => {
  const told: number[] = [];
  const late = Array.from({ length: 2_001 }, (_, index) =>
    turns.untilTold(true, new EventEmitter()).then(() => told.push(index)),
  );
  await Promise.all(late);
  expect(told[0]).toBe(2_000);
});

test('a refusal whose caller is gone is counted no longer', async () => {
  const caller = new EventEmitter();
  turns.untilTold(true, caller);
  expect(turns.waitingCommands).toBe(1);
  caller.emit('close');
  for (let one = 0; one < 20; one += 1) await null; // no timer can end the wait meanwhile
  expect([turns.waitingCommands, caller.listenerCount('close')]).toEqual([0, 0]);
});
