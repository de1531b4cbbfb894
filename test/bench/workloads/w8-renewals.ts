import { readFile } from 'node:fs/promises';
import { roleOf } from '#log';
import { openPool } from '#postgres';
import { partitionOfSession } from '#session';
import { callLoops, compared, interleave, row, type Side, type Turn } from '../harness.js';
import { hotShare, LOT, leasedBody, lot, shuffled } from '../leases.js';
import { projected, startLoad, startService } from '../processes.js';
import { seed } from '../seed.js';
import { type Cleanup, metered } from '../stack.js';
import type { Bench, Workload } from './workload.js';

const CONNECTIONS = 8;
/** Longer than the run: nothing lapses, and the reaper has nothing to do. */
const LEASE_SECONDS = 86_400;

/** Renewals over HTTP against the UPDATE that they come to, 500 leases each. */
export const renewals: Workload = {
  id: 'W8',
  title: `POST /v1/leases/renew, ${LOT} leases a request, ${CONNECTIONS} connections`,
  kafka: false,
  long: true,
  async run({ stack, plan, cleanup, signal, profileDir, seeded }: Bench) {
    const DATABASE_URL = await stack.createDatabase('w8');
    const started = await seed(DATABASE_URL, seeded, signal, (n) => leasedBody(n, LEASE_SECONDS));
    const sessions = shuffled(started);
    const service = await startService({ DATABASE_URL, KAFKA_BROKERS: 'none' }, cleanup, profileDir);
    await projected(service, signal);
    const load = startLoad(cleanup);
    const update = await updater(DATABASE_URL, sessions, cleanup);

    const order = { port: service.port, path: '/v1/leases/renew', kind: 'renew', sessions } as const;
    const ours: Side = {
      name: `${LOT} renewals a request, ${seeded.toLocaleString('en')} live leases`,
      turn: (ms) => {
        const pids = { server: service.pid, postgres: stack.postgresPid, load: load.pid };
        return metered(pids, async () => inLots(await load.turn({ ...order, connections: CONNECTIONS, ms })));
      },
    };
    // Not pgbench: npm's Postgres comes without it, and it cannot send 500 random ids as one parameter.
    const bare: Side = {
      name: `the same UPDATE of ${LOT} rows, prepared, one by one through pg`,
      turn: (ms) => {
        const pids = { node: process.pid, postgres: stack.postgresPid };
        return metered(pids, async () => inLots(await callLoops(1, ms, update)));
      },
    };
    const turns = await interleave([ours, bare], plan, signal);

    const of = ({ name }: Side) => turns.get(name) ?? [];
    const hot = `${((await hotShare(DATABASE_URL)) * 100).toFixed(1)} % HOT`;
    return [
      compared(row(`${ours.name}, ${hot}`, CONNECTIONS, of(ours)), of(ours), {
        name: bare.name,
        turns: of(bare),
      }),
      row(bare.name, 1, of(bare)),
    ];
  },
};

/** A turn counted in renewals; its latencies are those of a whole lot. */
function inLots(turn: Turn): Turn {
  return { ...turn, ops: turn.ops * LOT };
}

/** Renews a lot as the service's own statement does; rejects unless all of it was renewed. */
async function updater(
  url: string,
  sessions: readonly string[],
  cleanup: Cleanup,
): Promise<() => Promise<void>> {
  const text = await readFile(new URL('../../../libs/log/sql/renew_leases.sql', import.meta.url), 'utf8');
  const pool = openPool({ url, role: await roleOf({ url }, 'service') }, 1);
  cleanup.add(() => pool.end());
  const list = (values: readonly unknown[]) => `{${values.join(',')}}`;
  return async () => {
    // In the order of their locks: requests of the turn before may still be under way.
    const ids = lot(sessions).sort(byKey);
    const values = [list(ids.map(partitionOfSession)), list(ids), list(ids.map(() => 1))];
    const { rowCount } = await pool.query({ name: 'renew', text, values });
    if (rowCount !== LOT) throw new Error(`${rowCount} of ${LOT} leases were renewed`);
  };
}

/** As the table's key has it: partition, then id. */
function byKey(one: string, other: string): number {
  return partitionOfSession(one) - partitionOfSession(other) || (one < other ? -1 : 1);
}
