import { setTimeout as pause } from 'node:timers/promises';

/** Asks again and again until it is so; an error counts as "not yet". Throws when `withinMs` have passed (45 s when
 *  left out: far longer than anything takes, on a busy machine too). */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = 45_000): Promise<void> {
  let cause: unknown;
  for (const over = performance.now() + withinMs; performance.now() < over; await pause(10)) {
    try {
      if (await isSo()) return;
    } catch (error) {
      cause = error;
    }
  }
  throw new Error(`not within ${withinMs} ms: ${isSo}`, { cause });
}

/** Looks again and again until it sees what is wanted, and tells what it saw instead when it never does. */
export async function becomes<T>(look: () => Promise<T>, wanted: T, withinMs = 45_000): Promise<void> {
  for (const over = performance.now() + withinMs; performance.now() < over; await pause(20)) {
    if ((await look()) === wanted) return;
  }
  expect(await look()).toBe(wanted);
}
