import { compared, interleave, row, type Side } from '../harness.js';
import { projected, type Served, startLoad, startPeers, startService } from '../processes.js';
import { SCOPES } from '../scopes.js';
import { metered } from '../stack.js';
import type { Bench, Workload } from './workload.js';

/** Connections: in a full run all of them, otherwise the second. */
const CONNECTIONS = [16, 64, 256];
const LIMIT = 'bare Fastify, one INSERT for all that wait';
const SINGLE = 'bare Fastify, one INSERT a request';

/** Commands over HTTP against the same framework and driver with nothing to decide. */
export const httpCommands: Workload = {
  id: 'W2',
  title: `POST /v1/sessions for one of ${SCOPES.toLocaleString('en')} scopes`,
  kafka: false,
  async run({ stack, plan, cleanup, signal, profileDir, full }: Bench) {
    const DATABASE_URL = await stack.createDatabase('w2');
    const [service, peers] = await Promise.all([
      startService({ DATABASE_URL, KAFKA_BROKERS: 'none' }, cleanup, profileDir),
      startPeers(await stack.createDatabase('w2_peer'), cleanup),
    ]);
    const load = startLoad(cleanup);

    const side = ({ pid, port }: Served, path: string, keyed: boolean, connections: number): Side => ({
      name: `${connections} ${path} ${keyed}`,
      turn: (ms) => {
        const pids = { server: pid, postgres: stack.postgresPid, load: load.pid };
        return metered(pids, () => load.turn({ port, path, kind: 'start', keyed, connections, ms }));
      },
      ...(pid === service.pid && { settle: () => projected(service, signal) }),
    });
    const sides = (full ? CONNECTIONS : CONNECTIONS.slice(1, 2)).map((connections) => ({
      connections,
      keyed: side(service, '/v1/sessions', true, connections),
      limit: side(peers, '/batched', true, connections),
      plain: side(service, '/v1/sessions', false, connections),
      ...(full && { single: side(peers, '/single', true, connections) }),
    }));
    const order = sides.flatMap(({ connections, ...each }) => Object.values(each) as Side[]);
    const turns = await interleave(order, { ...plan, warmUpMs: 2 * plan.warmUpMs }, signal);

    const of = ({ name }: Side) => turns.get(name) ?? [];
    return sides.flatMap(({ connections, keyed, limit, plain, single }) => {
      const ours = (name: string, each: Side) =>
        [limit, ...(single ? [single] : [])].map((peer) =>
          compared(row(name, connections, of(each)), of(each), {
            name: peer === limit ? LIMIT : SINGLE,
            turns: of(peer),
          }),
        );
      return [
        ...ours('with an idempotency key', keyed),
        ...ours('without', plain),
        row(LIMIT, connections, of(limit)),
        ...(single ? [row(SINGLE, connections, of(single))] : []),
      ];
    });
  },
};
