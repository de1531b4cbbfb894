import type { ScopeKey } from '#session';
import type { FeedEvent } from './feed.port.js';

/** A row of read_feed.sql. */
export interface FeedRow {
  sequence: number;
  epoch: number;
  type: string;
  scope_key: ScopeKey;
  text: string;
}

/** The event in a row: its text is UTF-8, so these are the bytes that are stored. */
export function feedEvent(partition: number, { sequence, epoch, type, scope_key, text }: FeedRow): FeedEvent {
  return { partition, sequence, epoch, type, scopeKey: scope_key, bytes: Buffer.from(text) };
}
