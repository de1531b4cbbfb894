import pg from 'pg';
import type { Statement } from './statements.js';

/** Anything that answers queries: a pool, a connection. */
export interface Queryable {
  query(query: pg.QueryConfig): Promise<unknown>;
}

/** What Postgres answers to a statement. */
export interface Result<Row> {
  rows: Row[];
  /** How many rows were found or written. */
  rowCount: number | null;
}

/** Parameters of a statement; what is undefined is sent as NULL. */
type ValuesOf<Values> = { readonly [At in keyof Values]: Values[At] | null | undefined };

/** The row of a statement that always has one. */
export function rowOf<Row>({ rows: [row] }: Pick<Result<Row>, 'rows'>): Row {
  if (row === undefined) throw new Error('a statement has no row that always has one');
  return row;
}

/** What a statement is run with: nothing, where it has no parameters. */
export type Given<Values> = Values extends [] ? [] : [values: ValuesOf<Values>];

/** Runs a statement. Its rows and parameters are those that Postgres has described. */
export function query<Row, Values>(
  on: Queryable,
  { name, text }: Statement<Row, Values>,
  ...[values]: Given<Values>
): Promise<Result<Row>> {
  return on.query({ name, text, values: values as unknown as unknown[] }) as Promise<Result<Row>>;
}

/** How the service reaches Postgres. */
export interface DatabaseOptions {
  url: string;
  /** A role to work as; its rights are those that migrations granted. Undefined: the login's own. */
  role?: string | undefined;
  /** How Postgres lists the connection; `session-ledger` when left out. */
  name?: string | undefined;
  /** Longest wait for a new connection, in milliseconds. */
  connectMs?: number;
  /** Longest a statement may run or wait for a lock, in milliseconds. */
  statementMs?: number;
  /** Longest that a transaction may do nothing, in milliseconds; `statementMs` when left out. */
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

/** How pg is told so. */
export function config(options: DatabaseOptions): pg.ClientConfig {
  const statementMs = options.statementMs ?? 5_000;
  return {
    connectionString: options.url,
    types,
    application_name: options.name ?? 'session-ledger',
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

/** A connection of one's own. */
export async function openClient(options: DatabaseOptions): Promise<pg.Client> {
  const client = new pg.Client(config(options));
  client.on('error', () => {}); // a lost connection also fails the statements on it, and those are heard
  await client.connect();
  return client;
}
