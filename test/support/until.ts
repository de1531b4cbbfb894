import { setTimeout as pause } from 'node:timers/promises';

/** Waiting for what has to become so within `ms` milliseconds: how long that may take is each suite's to say. */
export function within(ms: number) {
  return {
    /** Asks again and again until it is so; an error counts as "not yet". Throws when the time is over. */
    async until(isSo: () => boolean | Promise<boolean>, withinMs = ms): Promise<void> {
      let cause: unknown;
      for (const over = performance.now() + withinMs; performance.now() < over; await pause(10)) {
        try {
          if (await isSo()) return;
        } catch (error) {
          cause = error;
        }
      }
      throw new Error(`not within ${withinMs} ms: ${isSo}`, { cause });
    },
    /** Looks again and again until it sees what is wanted, and tells what it saw instead when it never does. */
    async becomes<T>(look: () => Promise<T>, wanted: T, withinMs = ms): Promise<void> {
      for (const over = performance.now() + withinMs; performance.now() < over; await pause(20)) {
        if ((await look()) === wanted) return;
      }
      expect(await look()).toBe(wanted);
    },
  };
}
