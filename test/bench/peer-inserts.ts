import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { execute } from './stack.js';

/** What an event of a started session takes in the ledger's own table. */
const EVENT_BYTES = 700;

/** The peer of W1: what an application without the ledger would do, one insert and one commit for each event. */
export interface Inserts {
  one(): Promise<void>;
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
  const bytes = Buffer.alloc(EVENT_BYTES, 'event ');
  const statement = {
    name: 'insert_event',
    text: 'insert into events values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
  };
  let sequence = 0;
  return {
    async one() {
      sequence += 1;
      const scope = `default/usr_${randomInt(1e9)}/captions`;
      const values = [
        sequence,
        1,
        1,
        new Date(),
        randomUUID(),
        randomInt(16),
        'SessionStarted',
        scope,
        bytes,
      ];
      await pool.query({ ...statement, values });
    },
    close: () => pool.end(),
  };
}
