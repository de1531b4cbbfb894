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
