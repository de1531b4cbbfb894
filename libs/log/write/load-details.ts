import type pg from 'pg';
import { send, smallints, texts } from '#postgres';
import { statement } from '../statements.js';
import type { Batch } from './batch.js';

const loadDetailsStatement = statement('load_details');

/**
 * Reads the details that the answers of a decided batch show and that were not loaded with it. Before it is saved: what
 * this batch erases is left out.
 */
export async function loadDetails(client: pg.Client, { unread, rows, loaded }: Batch): Promise<void> {
  const asked = [...unread];
  const values = [smallints(asked, ([, partition]) => partition), texts(asked, ([digest]) => digest)];
  const [found] = await send(client, [{ ...loadDetailsStatement, values }]);
  for (const { scope_id, digest, body } of found.rows) {
    if (!rows.erased.has(scope_id)) loaded.attributes.set(digest, body);
  }
}
