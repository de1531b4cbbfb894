import { type DatabaseOptions, openClient, query } from '#postgres';
import { statement } from './statements.js';

const findRole = statement('find_role');

/** What somebody does in the database: serve and fold, or move old events to an archive. */
const KINDS = { service: 'session_ledger', archivist: 'session_ledger_archivist' } as const;

/**
 * The role of the ledger in this database. Its name ends with the first 8 digits of the ledger's id, so that no login of
 * another ledger on the server has it. A schema that is absent, or older than such roles, has the name without the digits.
 */
export async function roleOf(database: DatabaseOptions, kind: keyof typeof KINDS): Promise<string> {
  const client = await openClient({ ...database, role: undefined });
  try {
    const { rows } = await query(client, findRole, [KINDS[kind]]);
    return rows[0]?.role ?? KINDS[kind];
  } finally {
    await client.end();
  }
}
