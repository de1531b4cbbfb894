/**
 * Calls `listener` once with the signal's reason when it aborts, at once if it has. Returns how to stop listening: a
 * signal that lives long would hold whatever listens to it.
 */
export function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): () => void {
  const abort = () => listener(signal?.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  return () => signal?.removeEventListener('abort', abort);
}

/** How long a wait lasts that nobody ends. */
export interface Patience {
  ms: number;
  /** Ends the wait as well. */
  signal?: AbortSignal | undefined;
  /** Waits in the background: the process may end meanwhile. */
  isIdle?: boolean;
}

/**
 * Resolves when it is woken, when the time is over, or when the signal aborts; which of them is for the caller to see.
 * Never rejects. `listen` is given what wakes it, and returns how to let go of that.
 */
export function untilWoken(
  { ms, signal, isIdle = false }: Patience,
  listen: (wake: () => void) => () => unknown,
): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      stopListening();
      letGo();
      resolve();
    };
    const timer = setTimeout(wake, Math.max(0, ms));
    if (isIdle) timer.unref?.(); // which only Node has
    const stopListening = onAbort(signal, wake);
    const letGo = listen(wake);
  });
}

/** Waits `ms`, or until the signal aborts. Never rejects. */
export function rest(ms: number, signal?: AbortSignal): Promise<void> {
  return untilWoken({ ms, signal }, () => () => {});
}

/** Waits `ms`; rejects with the signal's reason as soon as it aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await rest(ms, signal);
  signal?.throwIfAborted();
}
