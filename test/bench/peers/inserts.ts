import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { execute } from '../stack.js';

/** What an event of a started session takes in the ledger's own table. */
export const EVENT_BYTES = 700;
/** Rows in one INSERT of the limit. */
export const LOT = 500;

/** The peers of W1: what an application without the ledger would do, and the most that INSERTs can do. */
export interface Inserts {
  /** One insert and one commit for one event. */
  one(): Promise<void>;
  /** LOT events in one insert and one commit. */
  lot(): Promise<void>;
  close(): Promise<void>;
}

/** Inserts rows of an event's size and columns, with a primary key, over a pool of 16. The database is empty. */
export async function openInserts(url: string): Promise<Inserts> {
  await execute(
    url,
    `create table events (
       sequence bigint not null, version bigint not null, epoch bigint not null, at timestamptz not null,
       scope_id uuid not null, partition smallint not null, type text not null, scope_key text not null,
       bytes bytea not null, primary key (partition, sequence))`,
  );
  const pool = new pg.Pool({ connectionString: url, max: 16, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {}); // idle ones hear it when Postgres stops; broken queries tell by themselves
  const text = 'event '.repeat(Math.ceil(EVENT_BYTES / 6)).slice(0, EVENT_BYTES);
  const bytes = Buffer.from(text);
  const statement = {
    name: 'insert_event',
    text: 'insert into events values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
  };
  const statements = {
    name: 'insert_events',
    text: `insert into events
           select sequence, 1, 1, at, scope_id, partition, 'SessionStarted', scope_key, convert_to(event, 'UTF8')
             from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::smallint[], $5::text[], $6::text[])
               as e (sequence, at, scope_id, partition, scope_key, event)`,
  };
  let sequence = 0;
  const scope = () => `default/usr_${randomInt(1e9)}/captions`;
  return {
    async one() {
      sequence += 1;
      const values = [
        sequence,
        1,
        1,
        new Date(),
        randomUUID(),
        randomInt(16),
        'SessionStarted',
        scope(),
        bytes,
      ];
      await pool.query({ ...statement, values });
    },
    async lot() {
      const at = new Date().toISOString();
      const list = (value: () => unknown) => `{${Array.from({ length: LOT }, value).join(',')}}`;
      const values = [
        list(() => ++sequence),
        list(() => at),
        list(randomUUID),
        list(() => randomInt(16)),
        list(scope),
        list(() => text),
      ];
      await pool.query({ ...statements, values });
    },
    close: () => pool.end(),
  };
}
