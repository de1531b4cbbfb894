import { rest } from './until-woken.js';

/**
 * Asks again every `everyMs` milliseconds until the answer is defined and not false, for at most
 * `withinMs` milliseconds. Resolves to the answer, or to undefined when time ran out.
 */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs, everyMs = 20 }: { withinMs: number; everyMs?: number },
): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  while (true) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) return undefined;
    await rest(everyMs);
  }
}
