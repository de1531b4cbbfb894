import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { Reached } from './reached.js';

/** Read models that stand where they are told to. */
function models() {
  let sequence = 0;
  const pool = { query: async () => ({ rows: [{ partition: 3, sequence }] }) } as unknown as pg.Pool;
  return {
    reached: new Reached(pool),
    comeTo(now: number) {
      sequence = now;
    },
  };
}
const LONG_MS = 600_000;

test('a position is reached with its own event, and not with the one before', async () => {
  const { reached, comeTo } = models();
  comeTo(4);
  expect(await reached.wait(3, 4, 0)).toBe(true);
  expect(await reached.wait(3, 5, 0)).toBe(false);
  const waiting = reached.wait(3, 5, LONG_MS);
  comeTo(5);
  expect(await waiting).toBe(true);
  expect(await reached.wait(2, 1, 0)).toBe(false);
});

test('nobody waits on for a reader who has gone', async () => {
  const { reached } = models();
  const gone = new AbortController();
  const waiting = reached.wait(3, 1, LONG_MS, gone.signal);
  gone.abort();
  expect(await Promise.race([waiting, sleep(5_000, 'it is waited on')])).toBe(false);
});

test('at most 5,000 wait at once, and whoever goes makes room', async () => {
  const { reached } = models();
  const gone = new AbortController();
  const waiting = Array.from({ length: 5_000 }, () => reached.wait(3, 1, LONG_MS, gone.signal));
  await expect(reached.wait(3, 1, 0)).rejects.toMatchObject({ code: 'overloaded' });
  gone.abort();
  await Promise.race([Promise.all(waiting), sleep(5_000)]);
  expect(await reached.wait(3, 1, 0)).toBe(false);
});
