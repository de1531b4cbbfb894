import type pg from 'pg';
import { LogError } from './errors.js';

/**
 * Changes what a ledger is in one transaction, which no other such change is beside; one is waited for for at most ten
 * seconds. Locks are waited for as long from then on. A connection that this fails on is to be ended.
 */
export async function alone<T>(client: pg.Client, change: () => Promise<T>): Promise<T> {
  try {
    await client.query("set lock_timeout = '10s'");
    await client.query('begin');
    await client.query("select pg_advisory_xact_lock(hashtext('session-ledger migrations'))");
    const result = await change();
    await client.query('commit');
    return result;
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  if ((error as { code?: string }).code !== '55P03') return error;
  return new LogError(
    'schema',
    'Another migration has been running for ten seconds. Try again when it has finished.',
  );
}
