import type pg from 'pg';
import type { Frontier } from '#audit';
import { CompositeMismatch, field, type Records, readComposites, records, type Type, types } from '#postgres';
import { LogError } from '../errors.js';
import type { EventRow, Part, ReceiptRow, ScopeRow, SessionRow } from './rows.js';

const { bigint, boolean, bytea, smallint, text, timestamptz, uuid } = types;

/** What a batch makes of a head. */
export interface NewHead {
  partition: number;
  frontier: Frontier;
  /** Of its last event. */
  at: string | undefined;
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

const EVENT = {
  partition: field(smallint, (row: EventRow) => row.partition),
  sequence: field(bigint, (row: EventRow) => row.sequence),
  version: field(bigint, (row: EventRow) => row.version),
  epoch: field(bigint, (row: EventRow) => row.epoch),
  at: field(timestamptz, (row: EventRow) => row.at),
  type: field(text, (row: EventRow) => row.type),
  scope_id: field(uuid, (row: EventRow) => row.scopeId),
  scope_key: field(text, (row: EventRow) => row.scopeKey),
  bytes: field(eventText, (row: EventRow) => row),
};

const SCOPE = {
  partition: field(smallint, (row: ScopeRow) => row.partition),
  scope_id: field(uuid, (row: ScopeRow) => row.scopeId),
  scope_key: field(text, (row: ScopeRow) => row.scopeKey),
  version: field(bigint, (row: ScopeRow) => row.version),
  revision: field(bigint, (row: ScopeRow) => row.latest.revision),
  ended: field(boolean, (row: ScopeRow) => row.latest.status === 'ended'),
  attributes_digest: field(text, (row: ScopeRow) => row.latest.attributesDigest),
  session_id: field(uuid, (row: ScopeRow) => row.latest.sessionId),
  latest: field(json, (row: ScopeRow) => row.json),
};

const SESSION = {
  partition: field(smallint, (row: SessionRow) => row.partition),
  session_id: field(uuid, (row: SessionRow) => row.sessionId),
  scope_id: field(uuid, (row: SessionRow) => row.scopeId),
  successor_id: field(uuid, (row: SessionRow) => row.successorId),
  final: field(json, (row: SessionRow) => row.final),
};

const RECEIPT = {
  partition: field(smallint, (row: ReceiptRow) => row.partition),
  scope_id: field(uuid, (row: ReceiptRow) => row.scopeId),
  key: field(uuid, (row: ReceiptRow) => row.key),
  fingerprint: field(uuid, (row: ReceiptRow) => row.fingerprint),
  sequence: field(bigint, (row: ReceiptRow) => row.sequence),
  at: field(timestamptz, (row: ReceiptRow) => row.at),
};

const HEAD = {
  partition: field(smallint, (head: NewHead) => head.partition),
  sequence: field(bigint, (head: NewHead) => head.frontier.size),
  at: field(timestamptz, (head: NewHead) => head.at),
  frontier: field(bytea, (head: NewHead) => head.frontier.toBytes()),
};

/** What writes a batch's rows, each kind in a composite type of its own. */
export interface RowTypes {
  events: Records<EventRow>;
  scopes: Records<ScopeRow>;
  sessions: Records<SessionRow>;
  receipts: Records<ReceiptRow>;
  heads: Records<NewHead>;
}

/**
 * Makes it for this database, once for a connection. Throws LogError `schema` when a type has other attributes than
 * this version writes.
 */
export async function readRowTypes(client: pg.ClientBase): Promise<RowTypes> {
  const composites = await readComposites(client, 'ledger');
  const type = (name: string) => composites.get(name) ?? { name, oid: 0, attributes: [] };
  try {
    return {
      events: records(type('event_row'), EVENT),
      scopes: records(type('scope_row'), SCOPE),
      sessions: records(type('session_row'), SESSION),
      receipts: records(type('receipt_row'), RECEIPT),
      heads: records(type('head_row'), HEAD),
    };
  } catch (cause) {
    if (!(cause instanceof CompositeMismatch)) throw cause;
    throw new LogError('schema', `The schema does not match its migrations: ledger.${cause.message}.`, {
      cause,
    });
  }
}

/** Throws as `readRowTypes` does: at start, and not with the first command. */
export async function checkRowTypes(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await readRowTypes(client);
  } finally {
    client.release();
  }
}
