import type pg from 'pg';
import { query } from '#postgres';
import { statement } from '../statements.js';

const noteRestore = statement('note_restore');

/**
 * Writes down that everybody who has followed the log has to start anew: what the topic had beyond it was given up, or
 * without a topic, a replica found that the log's past had changed, which by its knowledge was so `known` times before.
 */
export async function noteARestore(pool: pg.Pool, topic?: string, known?: number): Promise<void> {
  await query(pool, noteRestore, [topic, known, undefined]);
}

/**
 * Writes a restore down that was found by an event which Kafka has and the log does not: nobody else can tell when all
 * replicas were stopped meanwhile. Does nothing for another ledger's event, and when one was written down since the
 * event. `known`: as above.
 */
export async function noteALostEvent(
  pool: pg.Pool,
  source: string,
  bytes: Buffer,
  known: number,
): Promise<void> {
  const event: { source?: string; time?: string } = JSON.parse(bytes.toString('utf8'));
  if (event.source === source) await query(pool, noteRestore, [undefined, known, event.time]);
}
