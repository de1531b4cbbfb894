import { orAborted } from './deadline.js';
import { pause } from './until-woken.js';

/** How pauses grow. */
export interface Growth {
  /** Before the first attempt, in milliseconds; it doubles with each failure: 50 unless set. */
  firstMs?: number;
  /** At most, in milliseconds: 5,000 unless set. */
  mostMs?: number;
  /** Part of the pause that is not left to chance, from 0 to 1: 0 unless set. */
  sure?: number;
}

/**
 * Milliseconds before the attempt after `failures` of them: anything up to a limit that doubles. Full jitter spreads
 * callers that failed together best (M. Brooker, Exponential Backoff and Jitter, 2015).
 */
export function backoffMs(failures: number, { firstMs = 50, mostMs = 5_000, sure = 0 }: Growth = {}): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(failures, 20));
  return full * (sure + (1 - sure) * Math.random());
}

/**
 * Repeats until it works, with backoff. Rejects with the signal's reason when it aborts, and with what `onFailure`
 * throws: it decides which errors are worth another try.
 */
export async function untilDone<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: Error, failures: number) => void,
  growth?: Growth,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await orAborted(work(), signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) throw error;
      onFailure(error instanceof Error ? error : new Error(String(error)), failures);
    }
    await pause(backoffMs(failures, growth), signal);
  }
}
