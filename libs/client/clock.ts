/** How far the wall clock may run ahead of the other one without anybody having slept. */
const AWAKE_MS = 100;
/** By how much the wall clock was ahead when that was last believed, and what has counted as sleep so far. */
let ahead = Number.NaN;
let slept = 0;

/**
 * Milliseconds of a clock that nobody sets, which never goes back, and which goes on while the machine is suspended.
 * `performance.now()` stands still then on most systems. The wall clock does not, but it can be set: so whatever it
 * gains counts as sleep, and what it loses counts for nothing. A lease is then taken to be older than it is at worst.
 */
export function now(): number {
  const awake = performance.now();
  const gap = Date.now() - awake;
  if (gap > ahead + AWAKE_MS) slept += gap - ahead;
  else if (gap >= ahead) return awake + slept; // no news: what is lost to rounding adds up to nothing
  ahead = gap;
  return awake + slept;
}

/** A moment of `now()` by `performance.now()`: as long ago as it is, what was slept since included. */
export function byPerformance(moment: number): number {
  now();
  return moment - slept;
}

/** Timers stand still while the machine is suspended: one that has to notice looks at the clock this often. */
export const LONGEST_TIMER_MS = 1_000;
