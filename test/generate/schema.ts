import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startPostgres } from '#dev-stack';
import { migrate } from '#log';
import { openPool } from '#postgres';
import { describeSchema } from '../../libs/log/testing/schema.js';
import { statementTypes } from './statement-types.js';

/** Texts of what is made of the schema, which the migrations make in a Postgres of its own: by file. */
export async function fromSchema(): Promise<Map<string, string>> {
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

async function schemaAt(url: string): Promise<Map<string, string>> {
  await migrate({ url, partitions: 4 });
  const pool = openPool({ url }, 1);
  try {
    return (await statementTypes(pool)).set('libs/log/generated/schema.txt', await describeSchema(pool));
  } finally {
    await pool.end();
  }
}
