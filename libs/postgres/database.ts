import pg from 'pg';
import { boundGivenUp } from './given-up.js';

/** Anything that answers queries: a pool, a connection. */
export interface Queryable {
  query(query: pg.QueryConfig): Promise<pg.QueryResult>;
}

/** How the service reaches Postgres. */
export interface DatabaseOptions {
  url: string;
  /** A role to work as; its rights are those that migrations granted. Undefined: the login's own. */
  role?: string | undefined;
  /** Longest wait for a new connection, in milliseconds. */
  connectMs?: number;
  /** Longest a statement may run or wait for a lock, in milliseconds. */
  statementMs?: number;
  /** Longest a transaction may wait for its next statement, in milliseconds: as `statementMs` unless set. */
  idleMs?: number;
}

/** What makes a value of a type's text. Sequences, versions and epochs stay below 2^53. */
export function typeParser(oid: number): (text: string) => unknown {
  return oid === 20 ? Number : pg.types.getTypeParser(oid, 'text');
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    format === 'binary'
      ? pg.types.getTypeParser(oid, format)
      : typeParser(oid)) as typeof pg.types.getTypeParser,
};

/**
 * Every statement here asks for known keys. A plan that was made while a table was small would read all of it
 * for ever after, because prepared statements keep their plans: keys are looked up in the index, always, and each by
 * itself, since a bitmap of one row costs more than the row.
 */
const PLANS = [
  'enable_seqscan=off',
  'enable_bitmapscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
  'plan_cache_mode=force_generic_plan',
];

function config(options: DatabaseOptions): pg.ClientConfig {
  const statementMs = options.statementMs ?? 5_000;
  return {
    connectionString: options.url,
    types,
    application_name: 'session-ledger',
    connectionTimeoutMillis: options.connectMs ?? 3_000,
    statement_timeout: statementMs,
    // A paused process must not hold a partition's lock for longer than a statement may run.
    idle_in_transaction_session_timeout: options.idleMs ?? statementMs,
    // What the server's own time-outs cannot end: a connection that no longer answers.
    query_timeout: statementMs + 1_000,
    keepAlive: true,
    options: [...PLANS, ...(options.role ? [`role=${options.role}`] : [])]
      .map((set) => `-c ${set}`)
      .join(' '),
  };
}

/**
 * A bounded pool for reads. Waiting for a connection ends after `connectMs` with an error; the pool itself
 * never fails, its queries do.
 */
export function openPool(options: DatabaseOptions, max: number): pg.Pool {
  const pool = new pg.Pool({ ...config(options), max, idleTimeoutMillis: 30_000 });
  pool.on('error', () => {}); // an idle connection was lost: the next query opens another one
  // One that is in somebody's hands: the next statement on it says so. Unheard, it would end the process.
  pool.on('connect', (client) => void client.on('error', () => {}));
  boundGivenUp(pool, max);
  return pool;
}

/** A connection of one's own. */
export async function openClient(options: DatabaseOptions): Promise<pg.Client> {
  const client = new pg.Client(config(options));
  client.on('error', () => {}); // a lost connection also fails the statements on it, and those are heard
  await client.connect();
  return client;
}
