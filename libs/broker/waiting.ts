/** The wait was over before what was waited for. */
export class DeadlineOver extends Error {
  override name = 'DeadlineOver';
}

/** What was waited for is no longer wanted: the relay stops, or has lost its lease. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** The promise's outcome, or DeadlineOver after `ms`. What comes later is dropped, also when it is an error. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineOver(`${what} within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise's outcome, or Interrupted as soon as the signal fires. What comes later is dropped. */
export async function orInterrupted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Interrupted('interrupted'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, interrupted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Waits `ms`, or until the signal fires. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

const BACKOFF_FIRST_MS = 50;
const BACKOFF_MOST_MS = 5_000;

/** Milliseconds before attempt `failures + 1`: doubles up to 5 s, with half of it left to chance. */
export function backoffMs(failures: number): number {
  const full = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 20));
  return full * (0.5 + Math.random() / 2);
}

/**
 * Repeats until it works, with backoff. Rejects with Interrupted when the signal fires, and with what
 * `onFailure` throws: it decides which errors are worth another try.
 */
export async function untilDone<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: Error, failures: number) => void,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    if (signal.aborted) throw new Interrupted('interrupted');
    try {
      return await orInterrupted(work(), signal);
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      onFailure(error instanceof Error ? error : new Error(String(error)), failures);
    }
    await pause(backoffMs(failures), signal);
  }
}
