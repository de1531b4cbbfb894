import { type DatabaseOptions, openPool } from '#postgres';

/** Opens one connection to the ledger's Postgres for offline work, and closes it afterwards. */
export async function withDatabase<T>(
  url: string,
  work: (pool: ReturnType<typeof openPool>) => Promise<T>,
  more: Omit<DatabaseOptions, 'url'> = {},
): Promise<T> {
  const pool = openPool({ url, ...more }, 2);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
