import type { Queryable } from '#postgres';
import type { ScopeKey } from '#session';
import type { FeedEvent } from '../feed.port.js';
import { statement } from '../statements.js';

const feed = statement('read_feed');
const heads = statement('read_heads');

/** A row of read_feed.sql. */
interface FeedRow {
  sequence: number;
  epoch: number;
  type: string;
  scope_key: ScopeKey;
  text: string;
}

/** What the table has of a partition's events after a sequence, at most `limit` of them: those that are not archived. */
export async function readFeed(
  reader: Queryable,
  partition: number,
  after: number,
  limit: number,
): Promise<FeedEvent[]> {
  const { rows } = await reader.query({ ...feed, values: [partition, after, limit] });
  return rows.map((row) => feedEvent(partition, row));
}

/** The event in a row: its text is UTF-8, so these are the bytes that are stored. */
function feedEvent(partition: number, { sequence, epoch, type, scope_key, text }: FeedRow): FeedEvent {
  return { partition, sequence, epoch, type, scopeKey: scope_key, bytes: Buffer.from(text) };
}

/** The last sequence of a partition. */
export interface HeadRow {
  partition: number;
  sequence: number;
}

/** The heads of all partitions, as of now. */
export async function readHeads(reader: Queryable): Promise<HeadRow[]> {
  return (await reader.query(heads)).rows;
}
