import { compared, interleave, row, type Side } from './harness.js';
import { memoryOf } from './proc.js';
import { startLoad, startPeers, startService } from './processes.js';
import { SCOPES } from './scopes.js';
import { withCpu } from './stack.js';
import type { Bench, Workload } from './workload.js';

const CONNECTIONS = 64;

/** Commands over HTTP against the limit: the same framework and driver with nothing to decide. */
export const httpCommands: Workload = {
  id: 'W2',
  title: `POST /v1/sessions for one of ${SCOPES.toLocaleString('en')} scopes, ${CONNECTIONS} connections`,
  kafka: false,
  async run({ stack, plan, cleanup, signal, profileDir }: Bench) {
    const DATABASE_URL = await stack.createDatabase('w2');
    const [service, peers] = await Promise.all([
      startService({ DATABASE_URL, KAFKA_BROKERS: 'none' }, cleanup, profileDir),
      startPeers(await stack.createDatabase('w2_peer'), cleanup),
    ]);
    const load = startLoad(cleanup);

    const side = (name: string, { pid, port }: typeof service, path: string, keyed: boolean): Side => ({
      name,
      turn: (ms) => {
        const pids = { server: pid, postgres: stack.postgresPid, load: load.pid };
        const order = { port, path, kind: 'start', keyed, connections: CONNECTIONS, ms } as const;
        return withCpu(pids, () => load.turn(order));
      },
    });
    const keyed = side('with an idempotency key', service, '/v1/sessions', true);
    const plain = side('without', service, '/v1/sessions', false);
    const limit = side('bare Fastify, one INSERT for all that wait', peers, '/batched', true);
    const turns = await interleave([keyed, limit, plain], { ...plan, warmUpMs: 2 * plan.warmUpMs }, signal);

    const of = ({ name }: Side) => turns.get(name) ?? [];
    const reference = { name: limit.name, turns: of(limit) };
    const memory = memoryOf(service.pid, stack.postgresPid);
    const ours = (each: Side) => ({
      ...compared(row(each.name, CONNECTIONS, of(each)), of(each), reference),
      memory,
    });
    return [ours(keyed), ours(plain), row(limit.name, CONNECTIONS, of(limit))];
  },
};
