import type pg from 'pg';
import { begin, isLockTimeout, rollback, send, smallints } from '#postgres';
import { statement } from '../statements.js';
import type { LockedHeadRow } from './loaded.js';

const lockHeads = statement('lock_heads');
const tryHeads = statement('try_heads');
const limitLockWaits = statement('limit_lock_waits');

/**
 * The longest to wait for a head that somebody else holds: replicas that work hold one for milliseconds, and whoever
 * waits in line for it gets it next. After that it is tried for without waiting.
 */
export const WAIT_MS = 200;

/** Heads that a transaction has locked. */
export interface LockedHeads {
  rows: readonly LockedHeadRow[];
  /** Somebody else held one of them. */
  waited: boolean;
}

/** Locks heads without waiting for any, at the beginning of a transaction; its answer lacks those that are held. */
export function tryingFor(partitions: readonly number[]) {
  return { ...tryHeads, values: [smallints(partitions)] };
}

/**
 * Begins a transaction and locks heads, before it is known for which commands: waits for those of `wait`, in order and
 * not for long, and takes of `attempt` what is to be had. Undefined: one of them was held for longer, and nothing is
 * locked.
 */
export async function takeHeads(
  client: pg.Client,
  { wait, attempt }: { wait: readonly number[]; attempt: readonly number[] },
): Promise<LockedHeads | undefined> {
  try {
    const [, , waited, , tried] = await send(client, [
      begin,
      wait.length > 0 ? { ...limitLockWaits, values: [`${WAIT_MS}ms`] } : undefined,
      wait.length > 0 ? { ...lockHeads, values: [smallints(wait)] } : undefined,
      wait.length > 0 ? { ...limitLockWaits, values: ['0'] } : undefined,
      attempt.length > 0 ? tryingFor(attempt) : undefined,
    ]);
    const rows = [...(waited?.rows ?? []), ...(tried?.rows ?? [])];
    return { rows, waited: waited?.rows.some((row) => row.waited) ?? false };
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    await send(client, [rollback]);
    return undefined;
  }
}
