import { compared, interleave, row, type Side } from '../harness.js';
import { projected, startLoad, startPeers, startService } from '../processes.js';
import { seed } from '../seed.js';
import { execute, metered } from '../stack.js';
import type { Bench, Workload } from './workload.js';

const CONNECTIONS = 64;

/** Reads of the current session against a SELECT for each, and against an answer that needs no database. */
export const httpReads: Workload = {
  id: 'W3',
  title: `GET /v1/current of a scope that has one, ${CONNECTIONS} connections`,
  kafka: false,
  async run({ stack, plan, cleanup, signal, profileDir, seeded }: Bench) {
    const DATABASE_URL = await stack.createDatabase('w3');
    await seed(DATABASE_URL, seeded, signal);
    await copySessions(DATABASE_URL);
    const [service, peers] = await Promise.all([
      startService({ DATABASE_URL, KAFKA_BROKERS: 'none' }, cleanup, profileDir),
      startPeers(DATABASE_URL, cleanup),
    ]);
    await projected(service, signal);
    const load = startLoad(cleanup);

    const side = (name: string, { pid, port }: typeof service, path: string): Side => ({
      name,
      turn: (ms) => {
        const pids = { server: pid, postgres: stack.postgresPid, load: load.pid };
        const order = {
          port,
          path,
          kind: 'current',
          existing: seeded,
          connections: CONNECTIONS,
          ms,
        } as const;
        return metered(pids, () => load.turn(order));
      },
    });
    const ours = side('current session', service, '/v1/current');
    const select = side('bare Fastify, one SELECT each, pool of 16', peers, '/select');
    const limit = side('bare Fastify, a constant', peers, '/constant');
    const turns = await interleave([ours, select, limit], { ...plan, warmUpMs: 2 * plan.warmUpMs }, signal);

    const of = ({ name }: Side) => turns.get(name) ?? [];
    const reference = (side: Side) => ({ name: side.name, turns: of(side) });
    const read = row(ours.name, CONNECTIONS, of(ours));
    return [
      compared(read, of(ours), reference(select)),
      compared(read, of(ours), reference(limit)),
      row(select.name, CONNECTIONS, of(select)),
      row(limit.name, CONNECTIONS, of(limit)),
    ];
  },
};

/** The same sessions as the service answers them, in a table with a primary key to select by. */
async function copySessions(databaseUrl: string): Promise<void> {
  await execute(
    databaseUrl,
    `create table public.current_sessions as
       select scope_key, left(latest, -1) || ',"attributes":{}}' as latest from ledger.scopes;
     alter table public.current_sessions add primary key (scope_key);
     analyze`,
  );
}
