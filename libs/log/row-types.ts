import type pg from 'pg';
import type { Frontier } from '#audit';
import { bigint, boolean, bytea, smallint, type Type, text, timestamptz, uuid } from './postgres-types.js';
import { field, records } from './records.js';
import type { EventRow, Part, ReceiptRow, ScopeRow, SessionRow } from './rows.js';
import { statement } from './statements.js';

const rowTypes = statement('row_types');

/** The composite types in which a batch's rows travel, by their numbers in this database. */
export type RowTypes = Record<'event_row' | 'scope_row' | 'session_row' | 'receipt_row' | 'head_row', number>;

/** What a batch makes of a head. */
export interface NewHead {
  partition: number;
  frontier: Frontier;
  /** Of its last event. */
  at: string | undefined;
}

/** Asks for them: once for a connection. */
export async function readRowTypes(client: pg.Client): Promise<RowTypes> {
  const { rows } = await client.query(rowTypes);
  return Object.fromEntries(rows.map(({ name, oid }) => [name, oid])) as RowTypes;
}

/** The event's text; what is written is kept in its row. */
const eventText: Type<EventRow> = {
  oid: bytea.oid,
  most: (event) => event.byteLength,
  write(to, at, event) {
    let end = at;
    for (const piece of event.pieces) end += to.write(piece, end);
    event.bytes = to.subarray(at, end);
    return end;
  },
};

/** An event as it was written. */
export function bytesOf({ bytes }: EventRow): Buffer {
  if (!bytes) throw new Error('an event is used before it is written');
  return bytes;
}

/** JSON, mostly out of an event that was written before. */
const json: Type<Part | string> = {
  oid: text.oid,
  most: (value) => (typeof value === 'string' ? text.most(value) : value.length),
  write(to, at, value) {
    if (typeof value === 'string') return text.write(to, at, value);
    const { of, start, length } = value;
    return at + bytesOf(of).copy(to, at, start, start + length);
  },
};

export const eventRows = records<EventRow>(
  field(smallint, (row) => row.partition),
  field(bigint, (row) => row.sequence),
  field(bigint, (row) => row.version),
  field(bigint, (row) => row.epoch),
  field(timestamptz, (row) => row.at),
  field(text, (row) => row.type),
  field(uuid, (row) => row.scopeId),
  field(text, (row) => row.scopeKey),
  field(eventText, (row) => row),
);

export const scopeRows = records<ScopeRow>(
  field(smallint, (row) => row.partition),
  field(uuid, (row) => row.scopeId),
  field(text, (row) => row.scopeKey),
  field(bigint, (row) => row.version),
  field(bigint, (row) => row.latest.revision),
  field(boolean, (row) => row.latest.status === 'ended'),
  field(text, (row) => row.latest.attributesDigest),
  field(uuid, (row) => row.latest.sessionId),
  field(json, (row) => row.json),
);

export const sessionRows = records<SessionRow>(
  field(smallint, (row) => row.partition),
  field(uuid, (row) => row.sessionId),
  field(uuid, (row) => row.scopeId),
  field(uuid, (row) => row.successorId),
  field(json, (row) => row.final),
);

export const receiptRows = records<ReceiptRow>(
  field(smallint, (row) => row.partition),
  field(uuid, (row) => row.scopeId),
  field(uuid, (row) => row.key),
  field(uuid, (row) => row.fingerprint),
  field(bigint, (row) => row.sequence),
  field(timestamptz, (row) => row.at),
);

export const headRows = records<NewHead>(
  field(smallint, (head) => head.partition),
  field(bigint, (head) => head.frontier.size),
  field(timestamptz, (head) => head.at),
  field(bytea, (head) => head.frontier.toBytes()),
);
