import type pg from 'pg';
import type { Instant, ScopeKey, SessionEvent } from '#session';
import { type Position } from '#session';
import { decodeEvent } from '../index.js';

/** An event as it stands in the table, and what its bytes say. */
export interface StoredEvent extends Position {
  version: number;
  epoch: number;
  at: Instant;
  type: string;
  scopeKey: ScopeKey;
  bytes: Buffer;
  document: {
    id: string;
    source: string;
    type: string;
    subject: string;
    partitionkey: string;
    time: string;
    partition: number;
    sequence: string;
    commandid: string;
    data: { version: number };
  };
  event: SessionEvent;
}

/** Anything that answers queries. */
export type Reader = Pick<pg.Pool, 'query'>;

/** The whole log, or that of one scope, partition by partition, in order. */
export async function readLog(reader: Reader, scopeKey?: ScopeKey): Promise<StoredEvent[]> {
  const { rows } = await reader.query(
    'select * from ledger.events where $1::text is null or scope_key = $1 order by partition, sequence',
    [scopeKey],
  );
  return rows.map((row) => {
    const text = row.bytes.toString('utf8');
    return {
      partition: row.partition,
      sequence: row.sequence,
      version: row.version,
      epoch: row.epoch,
      at: row.at.toISOString(),
      type: row.type,
      scopeKey: row.scope_key,
      bytes: row.bytes,
      document: JSON.parse(text),
      event: decodeEvent(text).event,
    };
  });
}

export function groupBy<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
