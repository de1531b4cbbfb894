import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { LeaseRenewer } from './renewer.js';
import { openReplica, startLeased } from './testing/leases.js';

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openTestLedger();
});
afterAll(() => ledger.close());

const updates = async () => {
  const { rows } = await ledger.pool.query(
    `select n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_user_tables
      where schemaname = 'ledger' and relname = 'leases'`,
  );
  return rows[0] as { all: number; hot: number };
};

test('a renewal is a HOT update: it touches no index and leaves its page as it was', async () => {
  const replica = openReplica(ledger);
  const sessions = await Promise.all(
    Array.from({ length: 500 }, () => startLeased(replica, ledger, { seconds: 600 })),
  );
  // On a busy machine its ANALYZE would take long, and keep old versions from being pruned meanwhile.
  await ledger.pool.query('alter table ledger.leases set (autovacuum_enabled = off)');
  const before = await updates();
  const renewer = new LeaseRenewer({
    database: { url: ledger.database.url, role: ledger.role },
    maxBatch: 1_000,
    maxQueue: 10_000,
    onFault: (error) => replica.faults.push(error),
  });
  for (let round = 0; round < 40; round++) {
    const renewed = await Promise.all(
      sessions.map((session) =>
        renewer.renew({ ...session, by: { ...session, tenant: 'acme', operate: false } }),
      ),
    );
    expect(renewed.filter((until) => until === undefined)).toEqual([]);
  }
  await renewer.close(); // a connection that closes has told its figures
  await replica.close();
  const after = await updates();
  expect(after.all - before.all).toBe(500 * 40);
  const ratio = (after.hot - before.hot) / (after.all - before.all);
  expect(ratio).toBeGreaterThan(0.95);
  expect(replica.faults).toEqual([]);
});

describe('the reaper reads what has to be looked at, and nothing else', () => {
  beforeAll(async () => {
    await ledger.pool.query(
      'update ledger.reaper set seen_at = clock_timestamp(), resumed_at = seen_at, short_resumed_at = seen_at',
    );
    await ledger.pool.query(
      `insert into ledger.leases (partition, session_id, epoch, seconds, renewable, until, check_at)
       select 0, gen_random_uuid(), 1, 600, true, at, case when number <= 50 then clock_timestamp() else at end
         from generate_series(1, 5000) as number, (select clock_timestamp() + interval '1 hour' as at)`,
    );
  });

  test.each(['postpone_checks', 'find_due'])('%s', async (name) => {
    const pool = ledger.servicePool(1);
    const scan = await scanOf(pool, name);
    expect(scan['Index Name']).toBe('leases_to_check');
    expect(scan['Index Cond']).toContain('check_at');
    const read = (scan['Actual Rows'] ?? 0) + (scan['Rows Removed by Filter'] ?? 0);
    expect(read).toBe(50);
  });
});

interface Plan {
  Plans?: Plan[];
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows'?: number;
  'Rows Removed by Filter'?: number;
}

/** How a statement of the reaper reads the leases; it changes nothing. */
async function scanOf(pool: pg.Pool, name: string): Promise<Plan> {
  const text = readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query(`explain (analyze, format json) ${text}`, [1_000]);
    const scans = flat(rows[0]['QUERY PLAN'][0].Plan).filter(
      (plan) => plan['Index Name'] === 'leases_to_check',
    );
    if (!scans[0]) throw new Error(`no index scan in ${JSON.stringify(rows[0])}`);
    return scans[0];
  } finally {
    await client.query('rollback');
    client.release();
  }
}

function flat(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(flat)];
}
