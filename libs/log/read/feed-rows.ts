import { type Queryable, query, type RowOf } from '#postgres';
import type { FeedEvent } from '../feed.port.js';
import { statement } from '../statements.js';

const feed = statement('read_feed');
const heads = statement('read_heads');

/** What the table has of a partition's events after a sequence, at most `limit` of them: those that are not archived. */
export async function readFeed(
  reader: Queryable,
  partition: number,
  after: number,
  limit: number,
): Promise<FeedEvent[]> {
  const { rows } = await query(reader, feed, [partition, after, limit]);
  return rows.map((row) => feedEvent(partition, row));
}

/** The event in a row: its text is UTF-8, so these are the bytes that are stored. */
function feedEvent(partition: number, row: RowOf<typeof feed>): FeedEvent {
  const { sequence, epoch, type, scope_key, text } = row;
  return { partition, sequence, epoch, type, scopeKey: scope_key, bytes: Buffer.from(text) };
}

/** The last sequence of a partition. */
export interface HeadRow {
  partition: number;
  sequence: number;
}

/** The heads of all partitions, as of now. */
export async function readHeads(reader: Queryable): Promise<HeadRow[]> {
  return (await query(reader, heads)).rows;
}
