import type pg from 'pg';
import { readError } from './errors.js';
import { statement } from './statements.js';

const acceptRestore = statement('accept_restore');
const countRestores = statement('count_restores');
const findUnawaitedStandbys = statement('find_unawaited_standbys');

/**
 * Writes down that everybody who has followed the log has to start anew, because what the topic had beyond it was
 * given up. Needs the login that owns the schema. Answers how often that has happened by now.
 */
export async function acceptARestore(pool: pg.Pool, topic: string): Promise<number> {
  const { rows } = await pool.query({ ...acceptRestore, values: [topic] });
  return rows[0].number;
}

/** How often a restore was accepted. Rejects with LogError `unavailable`. */
export async function restoresOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(countRestores).catch((error) => {
    throw readError(error);
  });
  return rows[0].restores;
}

/** Whether Postgres has standbys and waits for none, so that a failover may lose what was acknowledged. */
export async function hasUnawaitedStandbys(pool: pg.Pool): Promise<boolean> {
  return (await pool.query(findUnawaitedStandbys)).rows[0].unawaited;
}
