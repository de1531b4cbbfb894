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

/** The time of a clock that nobody sets: milliseconds. It stands still while the whole machine is suspended. */
export function now(): number {
  return performance.now();
}

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
