import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of its own for one test file. */
export interface TestDatabase {
  url: string;
  /** Removes it, ending connections that are still open. */
  drop(): Promise<void>;
}

/** Makes a fresh, empty database on the Postgres that global-setup.js started. */
export async function createDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server)
    throw new Error('TEST_DATABASE_URL is not set: run the tests with jest, which starts Postgres');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await execute(server, `CREATE DATABASE ${name}`);
  return {
    url: url.href,
    drop: async () => void (await execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** A backup of a database as it is now. */
export interface Backup {
  /** A database of its own, that can be written to before it takes the other one's place. */
  url: string;
  /** Puts it in the place of the database, which is lost with all that came since. */
  restore(): Promise<void>;
}

/** Makes one. It ends all connections to the database, as does the restore. */
export async function backUp(url: string): Promise<Backup> {
  const server = serverOf(url);
  const name = new URL(url).pathname.slice(1);
  const copy = `${name}_backup`;
  await whileAlone(server, [name], `CREATE DATABASE ${copy} TEMPLATE ${name}`);
  return {
    url: url.replace(`/${name}`, `/${copy}`),
    restore: () =>
      whileAlone(
        server,
        [name, copy],
        `ALTER DATABASE ${name} RENAME TO ${name}_lost; ALTER DATABASE ${copy} RENAME TO ${name};
         DROP DATABASE ${name}_lost WITH (FORCE)`,
      ),
  };
}

/** Where databases are made and dropped. */
function serverOf(url: string): string {
  const server = new URL(url);
  server.pathname = '/postgres';
  return server.href;
}

/** Runs statements one after the other while nobody can connect to some databases. */
async function whileAlone(server: string, names: readonly string[], statements: string): Promise<void> {
  for (const name of names) {
    await execute(server, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await execute(
      server,
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`,
    );
  }
  for (const statement of statements.split(';')) await execute(server, statement);
  const { rows } = await execute(server, 'select datname from pg_database where not datallowconn');
  for (const { datname } of rows) {
    if (names.some((name) => datname === name || datname === `${name}_backup`)) {
      await execute(server, `ALTER DATABASE ${datname} ALLOW_CONNECTIONS true`);
    }
  }
}

/** Runs one statement on a database, over a connection of its own. */
export async function execute(url: string, statement: string, values?: unknown[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await client.query(statement, values);
  } finally {
    await client.end();
  }
}
