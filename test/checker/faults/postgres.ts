import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { World } from '../running/world.js';
import type { Inflict } from './fault.js';
import { paused } from './processes.js';

/** How long a lock may be waited for before it is held. */
const WAIT_MS = 8_000;

/** Holds what a statement locks. */
function locked(world: World, statement: string, values: unknown[], ms: number): Promise<void> {
  return world.withClient(async (client) => {
    await client.query(`begin; set local lock_timeout = ${WAIT_MS}`);
    await client.query(statement, values);
    await pause(ms);
    await client.query('commit');
  });
}

/** Nobody can read or write the table. */
export const lockTable: Inflict = (world, { table, ms }) =>
  locked(world, `lock table ledger."${table}" in access exclusive mode`, [], ms);

/** Nobody can write one partition. */
export const lockHead: Inflict = (world, { partition, ms }) =>
  locked(world, 'select from ledger.heads where partition = $1 for update', [partition], ms);

/** The tables of the ledger, as the catalogue lists them. */
export async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query(
    "select tablename from pg_tables where schemaname = 'ledger' order by tablename",
  );
  return rows.map(({ tablename }) => tablename);
}

async function backendsOf(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query(
    `select pid from pg_stat_activity
      where datname = current_database() and application_name ^@ 'session-ledger'
      order by state = 'idle', pid`,
  );
  return rows.map(({ pid }) => pid);
}

/** Ends one connection after the other, of either replica; those at work more often. */
export const killBackends: Inflict = (world, { ms }, random) =>
  world.withClient(async (client) => {
    for (const until = performance.now() + ms; performance.now() < until; ) {
      const pids = await backendsOf(client);
      const pid = random.chance(0.6) ? pids[0] : random.pick(pids);
      if (pid !== undefined) await client.query('select pg_terminate_backend($1)', [pid]);
      await pause(random.integer(20, 150));
    }
  });

/** One connection's server process does nothing for a while, and keeps its locks. */
export const pauseBackend: Inflict = async (world, { ms }, random) => {
  const pids = await world.withClient(backendsOf);
  const pid = random.chance(0.7) ? pids[0] : random.pick(pids);
  if (pid !== undefined) await paused(pid, ms);
};
