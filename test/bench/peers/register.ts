import pg from 'pg';
import { execute } from '../stack.js';
import type { Attempt } from '../workloads/w4-hot-scope.js';

/** About what the ledger keeps for a scope's latest session. */
const SESSION = 'x'.repeat(480);

/** The peer of W4: one row that says who is current, and no history. */
export interface Register {
  swap: Attempt;
  close(): Promise<void>;
}

/** Compares and swaps one row over a pool of 16, each in a transaction of its own. The database is empty. */
export async function openRegister(url: string): Promise<Register> {
  await execute(
    url,
    'create table current (id int primary key, epoch bigint not null, session text not null)',
  );
  await execute(url, `insert into current values (1, 0, '')`);
  const pool = new pg.Pool({ connectionString: url, max: 16, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {}); // idle ones hear it when Postgres stops; broken queries tell by themselves
  const statement = {
    name: 'swap',
    text: 'update current set epoch = epoch + 1, session = $2 where id = 1 and epoch = $1',
  };
  // Who lost asks nobody who won: all callers here hear of a swap at once, which is more than the row tells them.
  let known = 0;
  return {
    async swap() {
      const epoch = known;
      const { rowCount } = await pool.query({ ...statement, values: [epoch, SESSION] });
      if (rowCount === 1) known = Math.max(known, epoch + 1);
      return rowCount === 1;
    },
    close: () => pool.end(),
  };
}
