const FIRST_MS = 50;
const MOST_MS = 5_000;

/**
 * Milliseconds before the attempt after `failures` of them: anything up to a limit that doubles until 5 s. Full
 * jitter spreads callers that failed together best (M. Brooker, Exponential Backoff and Jitter, 2015).
 */
export function backoffMs(failures: number): number {
  return Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 20));
}

/** Waits; rejects with the signal's reason as soon as it aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

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

/** What comes of a promise; rejects with the signal's reason as soon as it aborts. */
export async function unless<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Resolves when a promise has settled, whatever came of it, or after `ms`. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([promise.catch(() => {}), pause(ms, over.signal).catch(() => {})]);
  over.abort();
}

/** What comes of a promise; rejects with an error of this message when that takes longer than `ms`. */
export async function within<T>(ms: number, message: string, promise: Promise<T>): Promise<T> {
  const time = new AbortController();
  const timer = setTimeout(() => time.abort(new Error(message)), ms);
  return unless(time.signal, promise).finally(() => clearTimeout(timer));
}

/** Calls a listener of the user's: one that throws is no reason to lose an event, or to stop. */
export function tell(listener: () => void): void {
  try {
    listener();
  } catch {}
}
