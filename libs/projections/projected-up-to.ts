import type pg from 'pg';
import { ask } from '#log';
import { statement } from './statements.js';

const readProjectedUpTo = statement('read_projected_up_to');

/** The last sequence of each partition that no projection has still to read. Rejects with LogError `unavailable`. */
export async function projectedUpTo(pool: pg.Pool): Promise<Map<number, number>> {
  const { rows } = await ask(pool, readProjectedUpTo);
  return new Map(rows.map(({ partition, sequence }) => [partition, sequence]));
}
