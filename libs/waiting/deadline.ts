import { onAbort } from './until-woken.js';

/** The wait was over before what was waited for. */
export class DeadlineOver extends Error {
  override name = 'DeadlineOver';
}

/** What comes of a promise, or DeadlineOver after `ms`. What comes later is dropped, also when it is an error. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineOver(`${what} within ${ms} ms`)), ms);
  });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}

/** What comes of a promise; rejects with the signal's reason as soon as it aborts. What comes later is dropped. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stopListening = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, reject);
  });
  return Promise.race([promise, aborted]).finally(stopListening);
}

/** Resolves when a promise has settled, whatever came of it, or after `ms`. Never rejects. */
export async function settled(promise: Promise<unknown>, ms: number): Promise<void> {
  await withDeadline(promise, ms, '').catch(() => {});
}
