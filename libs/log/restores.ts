import type pg from 'pg';
import { statement } from './statements.js';

const noteRestore = statement('note_restore');
const findUnawaitedStandbys = statement('find_unawaited_standbys');

/**
 * Writes down that everybody who has followed the log has to start anew: what the topic had beyond it was given up, or
 * without a topic, a replica found that the log's past had changed, which by its knowledge was so `known` times before.
 */
export async function noteARestore(pool: pg.Pool, topic?: string, known?: number): Promise<void> {
  await pool.query({ ...noteRestore, values: [topic, known] });
}

/** Whether Postgres has standbys and waits for none, so that a failover may lose what was acknowledged. */
export async function hasUnawaitedStandbys(pool: pg.Pool): Promise<boolean> {
  return (await pool.query(findUnawaitedStandbys)).rows[0].unawaited;
}
