import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startPostgres } from '#dev-stack';
import { migrate } from '#log';
import { openPool } from '#postgres';
import { describeSchema } from '../../libs/log/testing/schema.js';

/** The schema that the migrations make, in a Postgres of its own. */
export async function databaseSchema(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'session-ledger-generate-'));
  try {
    const postgres = await startPostgres({
      dataDir: directory,
      port: await freePort(),
      log: (line) => process.stderr.write(`${line}\n`),
      cacheDir: process.env.POSTGRES_CACHE_DIR,
    });
    try {
      return await schemaAt(postgres.url);
    } finally {
      await postgres.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function schemaAt(url: string): Promise<string> {
  await migrate({ url, partitions: 4 });
  const pool = openPool({ url }, 1);
  try {
    return await describeSchema(pool);
  } finally {
    await pool.end();
  }
}
