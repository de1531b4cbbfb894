import type pg from 'pg';
import { query } from './database.js';
import type { Statements } from './generated/statements.js';
import { statement } from './statements.js';

/** What Postgres does with writes now. */
export type Writes = 'ok' | 'read-only' | 'disk-full' | 'unavailable';

const { text } = statement('probe_writes');
const findUnawaitedStandbys = statement('find_unawaited_standbys');

/** What a file that cannot be written to is told as: full, or full so that not even its directory could be made. */
const REFUSALS: Readonly<Record<string, Writes>> = {
  '53100': 'disk-full',
  '58P01': 'disk-full',
  '42501': 'read-only', // of the file system: the statement itself needs no right
};

/** What is found. */
export interface Probed {
  writes: Writes;
  /** Of a standby: how many seconds old what it shows is. */
  lagSeconds?: number;
}

/** Asks Postgres whether it takes writes, without writing to the ledger: a standby is read-only, a disk may be full. */
export async function probeWrites(pool: pg.Pool): Promise<Probed> {
  try {
    const results = (await pool.query(text)) as unknown as pg.QueryResult<
      Statements['probe_writes']['row']
    >[];
    const { read_only = false, lag_seconds } = results.at(-1)?.rows[0] ?? {};
    return {
      writes: read_only ? 'read-only' : 'ok',
      ...(typeof lag_seconds === 'number' && { lagSeconds: Math.max(0, lag_seconds) }),
    };
  } catch (error) {
    return { writes: REFUSALS[(error as { code?: string }).code ?? ''] ?? 'unavailable' }; // the answer itself says so
  }
}

/** Whether Postgres has standbys and waits for none, so that a failover may lose what was acknowledged. */
export async function hasUnawaitedStandbys(pool: pg.Pool): Promise<boolean> {
  return (await query(pool, findUnawaitedStandbys)).rows[0]?.unawaited ?? false;
}
