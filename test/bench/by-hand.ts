import { Cleanup } from './stack.js';

/** A measurement that is run by hand: prints lines, undoes what it started, exits with 1 when it failed. */
export async function byHand(
  withinMs: number,
  measure: (cleanup: Cleanup, signal: AbortSignal) => Promise<void>,
): Promise<never> {
  const cleanup = new Cleanup();
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => stopping.abort(new Error(`stopped by ${name}`)));
  }
  const late = () => stopping.abort(new Error(`not over within ${withinMs / 1_000} s`));
  setTimeout(late, withinMs).unref();
  const aborted = new Promise<never>((_, reject) => {
    stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason));
  });
  let code = 0;
  const failed = (error: unknown) => {
    code = 1;
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  };
  await Promise.race([measure(cleanup, stopping.signal), aborted]).catch(failed);
  for (const error of await cleanup.run()) failed(error);
  process.exit(code);
}

/** One line of a result. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
