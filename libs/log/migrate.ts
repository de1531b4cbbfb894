import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { query, rowOf } from '#postgres';
import { alone } from './alone.js';
import { LogError } from './errors.js';
import { newHandleKey } from './handle-key.js';
import { statement } from './statements.js';
import { checkRowTypes } from './write/row-types.js';

const hasMigrations = statement('has_migrations');
const readVersion = statement('read_schema_version');
const readIdentity = statement('read_identity');
const findRole = statement('find_role');
const folder = new URL('./sql/migrations/', import.meta.url);

/** The migrations of this version, in order: `001_ledger` is number 1. */
export function migrations(): { number: number; name: string; text: string }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      number: Number.parseInt(file, 10),
      name: file.slice(0, -'.sql'.length),
      text: readFileSync(new URL(file, folder), 'utf8'),
    }));
}

/** The number of this version's last migration. */
function latest(): number {
  return migrations().at(-1)?.number ?? 0;
}

/** What every migration run is: forward only, one at a time, waiting at most ten seconds for another one. */
export interface MigrateOptions {
  url: string;
  /** How many partitions to create the ledger with, 1 to 4096; an existing ledger keeps its own. */
  partitions: number;
  /** A login that is let into the ledger as its service. */
  serviceLogin?: string | undefined;
  /** Where the handle key of a ledger that is made now is; in its table when left out. */
  handleKeyFile?: string | undefined;
}

/**
 * Brings the database to this version's schema and returns the names of what was applied. Throws LogError
 * when the schema is newer than this version knows, or another migration runs for over ten seconds, and KeyFileError when
 * a ledger is to be made with a handle key that cannot be used.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const { url, serviceLogin } = options;
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {}); // a lost connection also fails the statement on it, and that one is heard
  await client.connect();
  try {
    return await alone(client, async () => {
      const applied = await applyPending(client);
      await createLedger(client, options);
      await client.query('select ledger.take_roles()');
      if (serviceLogin !== undefined) await letIn(client, serviceLogin);
      return applied;
    });
  } finally {
    await client.end();
  }
}

async function applyPending(client: pg.Client): Promise<string[]> {
  await client.query('create schema if not exists ledger');
  await client.query(
    'create table if not exists ledger.migrations ' +
      '(number int primary key, name text not null, applied_at timestamptz not null default now())',
  );
  const { version } = rowOf(await query(client, readVersion));
  const known = migrations();
  refuseNewer(version, latest());
  const pending = known.filter(({ number }) => number > version);
  for (const { number, name, text } of pending) {
    await client.query(text);
    await client.query('insert into ledger.migrations (number, name) values ($1, $2)', [number, name]);
  }
  return pending.map(({ name }) => name);
}

async function createLedger(client: pg.Client, { partitions, handleKeyFile }: MigrateOptions): Promise<void> {
  const { rowCount } = await client.query('select from ledger.ledger');
  if (rowCount) return;
  const id = randomUUID();
  const { key, check } = newHandleKey(id, handleKeyFile);
  await client.query(
    'insert into ledger.ledger (id, partitions, handle_key, handle_key_check) values ($1, $2, $3, $4)',
    [id, partitions, key, check],
  );
  await client.query('insert into ledger.heads (partition) select generate_series(0, $1::int - 1)', [
    partitions,
  ]);
  await client.query('insert into ledger.relays (partition) select generate_series(0, $1::int - 1)', [
    partitions,
  ]);
  await client.query(
    'insert into ledger.projection_positions (generation, partition) select 1, generate_series(0, $1::int - 1)',
    [partitions],
  );
}

/** Whoever made the role may grant it. */
async function letIn(client: pg.Client, login: string): Promise<void> {
  const { role } = rowOf(await query(client, findRole, ['session_ledger']));
  await client.query(`grant ${pg.escapeIdentifier(role)} to ${pg.escapeIdentifier(login)}`);
}

/** What a ledger is for good. */
export interface LedgerIdentity {
  id: string;
  partitions: number;
}

/**
 * Reads the ledger's identity; throws LogError when the schema is missing, older or newer than this version, or is not
 * what its migrations make.
 */
export async function identify(pool: pg.Pool): Promise<LedgerIdentity> {
  const { present } = rowOf(await query(pool, hasMigrations).catch(explainRole));
  if (!present) throw new LogError('schema', 'This database has no ledger yet: migrate it.');
  const { version } = rowOf(await query(pool, readVersion));
  const known = latest();
  refuseNewer(version, known);
  if (version < known) {
    throw new LogError('schema', `The schema is at ${version}, this version needs ${known}: migrate it.`);
  }
  await checkRowTypes(pool);
  return rowOf(await query(pool, readIdentity));
}

/** Postgres refuses the connection itself when the login may not work as the service's role. */
function explainRole(cause: { code?: string; message?: string }): never {
  if (!cause.message?.includes('role')) throw cause;
  throw new LogError(
    'schema',
    `${cause.message}: migrate the database, which makes the role, and grant it to the login of DATABASE_URL.`,
    { cause },
  );
}

function refuseNewer(version: number, known: number): void {
  if (version <= known) return;
  throw new LogError(
    'schema',
    `The schema is at ${version}, this version knows ${known}: run a newer version.`,
  );
}
