import { Keys } from '#access';
import { anonymous, PERMISSIONS, startOf, unkeyed } from '#api';
import type { StartBody } from '#api/schemas';
import { migrate } from '#log';
import { openPool } from '#postgres';
import { openHere } from './ledger.js';
import { startBody } from './scopes.js';

const CALLERS = 1_024;

/** Makes a ledger in an empty database and starts a session in each of the first `count` scopes; their ids. */
export async function seed(
  databaseUrl: string,
  count: number,
  signal: AbortSignal,
  bodyOf: (n: number) => StartBody = startBody,
): Promise<string[]> {
  const ledger = await openHere(databaseUrl);
  const sessions: string[] = [];
  try {
    let next = 0;
    const caller = async () => {
      while (next < count && !signal.aborted) {
        const body = bodyOf(next++);
        const answer = await ledger.writer.submit(startOf({ ...unkeyed(anonymous), body }, ledger.naming));
        if (answer.kind !== 'accepted') throw new Error(`a start was answered ${answer.kind}`);
        sessions.push(answer.session.sessionId);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    return sessions;
  } finally {
    await ledger.close();
  }
}

/** Makes a key at the database, with all permissions, for the tenant `default`; its secret. The database may be empty. */
export async function makeKey(databaseUrl: string): Promise<string> {
  await migrate({ url: databaseUrl, partitions: 16 });
  const pool = openPool({ url: databaseUrl }, 1);
  try {
    const made = await new Keys(pool).create(
      {
        ...{ tenant: 'default', ledgerWide: true, principal: 'anonymous', name: 'bench' },
        permissions: PERMISSIONS,
      },
      'bench',
    );
    if ('madeBefore' in made) throw new Error('a key without a request was made before');
    return made.secret;
  } finally {
    await pool.end();
  }
}
