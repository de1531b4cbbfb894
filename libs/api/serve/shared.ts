import type { Ledger } from '../ledger.port.js';

/** Most answers that are kept; the oldest goes for another one. */
const MOST = 1_000;

interface Kept {
  at: number;
  value: Promise<unknown>;
}

const keptBy = new WeakMap<Ledger, Map<string, Kept>>();

/**
 * What was read for a key within the last `ms`, or what is read for it now: however many ask, Postgres is asked once.
 * A read that fails is not kept.
 */
export function shared<Value>(
  ledger: Ledger,
  key: string,
  ms: number,
  read: () => Promise<Value>,
): Promise<Value> {
  const kept = keptBy.get(ledger) ?? new Map<string, Kept>();
  keptBy.set(ledger, kept);
  const known = kept.get(key);
  // Of one key always the same is read.
  if (known && performance.now() - known.at < ms) return known.value as Promise<Value>;
  const value = read();
  const own = { at: performance.now(), value };
  kept.delete(key);
  if (kept.size >= MOST) kept.delete(kept.keys().next().value ?? '');
  kept.set(key, own);
  value.catch(() => {
    if (kept.get(key) === own) kept.delete(key);
  });
  return value;
}
