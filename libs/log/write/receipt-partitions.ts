import type pg from 'pg';
import { query } from '#postgres';
import { statement } from '../statements.js';

const rotate = statement('rotate_receipts');

/**
 * Makes the receipts' time partitions of the coming days and drops those that are over 48 hours old: to be
 * called at start and every hour. May run on every replica at once; who comes second finds nothing to do.
 */
export async function rotateReceipts(pool: pg.Pool): Promise<void> {
  await query(pool, rotate);
}
