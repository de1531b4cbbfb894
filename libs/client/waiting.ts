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
