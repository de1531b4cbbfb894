import type { Said } from './facts.js';

/** What the conductor started this process with. */
export function setUp<Setup>(): Setup {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Tells the conductor. */
export function say(said: Said): void {
  if (process.connected) process.send?.(said);
}

/** Runs `obey` for each order, one after the other; what it throws is told to the conductor. */
export function onOrder<Order>(obey: (order: Order) => Promise<void>): void {
  let last = Promise.resolve();
  process.on('message', (order: Order) => {
    last = last.then(() => obey(order)).catch(fail);
  });
}

/** The conductor has gone, or wants us to go: `leave` is the last thing that this process does. */
export function onLeave(leave: () => Promise<void>): void {
  process.once('disconnect', () => leave().finally(() => process.exit(0)));
}

export function fail(error: unknown): void {
  say({ kind: 'failure', why: error instanceof Error ? error.message : String(error) });
}

/** Milliseconds since 1970, finer than Date.now(): the times of several processes are put in order. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
