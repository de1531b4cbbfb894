import { randomInt } from 'node:crypto';
import type { StartBody } from '#api/schemas';
import { startBody } from './scopes.js';
import { execute } from './stack.js';

/** Renewals in one request, or rows in one UPDATE. */
export const LOT = 500;

/** A start like any other, with a lease of so many seconds. */
export function leasedBody(n: number, seconds: number): StartBody {
  return { ...startBody(n), lease: { seconds } };
}

/** The same in random order, so that neighbours in the list are none in the table (Fisher and Yates). */
export function shuffled<T>(list: readonly T[]): T[] {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
}

/** LOT different ones of a shuffled list that is longer. */
export function lot<T>(list: readonly T[]): T[] {
  const from = randomInt(list.length - LOT);
  return list.slice(from, from + LOT);
}

/** Which part of all updates of leases so far touched no index, from 0 to 1. Postgres tells a second late. */
export async function hotShare(databaseUrl: string): Promise<number> {
  const { rows } = await execute(
    databaseUrl,
    `select n_tup_hot_upd::float / nullif(n_tup_upd, 0) as share from pg_stat_user_tables
      where schemaname = 'ledger' and relname = 'leases'`,
  );
  return rows[0]?.share ?? Number.NaN;
}
