import { callLoops, compared, interleave, row, type Side, type Turn } from '../harness.js';
import { caughtUp, openHere } from '../ledger.js';
import { projected, startLoad, startService } from '../processes.js';
import { makeKey, seed } from '../seed.js';
import { metered } from '../stack.js';
import { starter } from './w1-commands.js';
import type { Bench, Workload } from './workload.js';

const CALLERS = 64;
const WITHOUT = 'without access control';
type Access = 'off' | 'required';

/** What W1, W2 and W3 cost more where every request shows a key. Either way has ledgers of its own, of the same size. */
export const accessControl: Workload = {
  id: 'W11',
  title: `W1, W2 and W3 with access control, against the same without, ${CALLERS} callers`,
  kafka: false,
  long: true,
  async run(bench: Bench) {
    const load = startLoad(bench.cleanup);
    const off = await sidesOf('off', bench, load);
    const required = await sidesOf('required', bench, load);
    // What is compared works in turns that follow one another.
    const order = off.flatMap((side, at) => [side, required[at]!]);
    const turns = await interleave(order, bench.plan, bench.signal);
    const of = ({ name }: Side): Turn[] => turns.get(name) ?? [];
    return off.flatMap((before, at) => {
      const side = required[at]!;
      return [
        compared(row(side.name, CALLERS, of(side)), of(side), { name: WITHOUT, turns: of(before) }),
        row(before.name, CALLERS, of(before)),
      ];
    });
  },
};

async function sidesOf(access: Access, bench: Bench, load: ReturnType<typeof startLoad>): Promise<Side[]> {
  const { stack, cleanup, signal, seeded } = bench;
  const named = (what: string) => (access === 'off' ? `${what}, ${WITHOUT}` : what);
  const DATABASE_URL = await stack.createDatabase(`w11_${access}`);
  await seed(DATABASE_URL, seeded, signal);
  const token = access === 'required' ? await makeKey(DATABASE_URL) : undefined;
  const env = { DATABASE_URL, KAFKA_BROKERS: 'none', LEDGER_ACCESS: access };
  const service = await startService(env, cleanup);
  const settle = () => projected(service, signal, token);
  await settle();
  const order = { port: service.port, existing: seeded, connections: CALLERS, token };
  const pids = { server: service.pid, postgres: stack.postgresPid, load: load.pid };
  return [
    { ...(await inProcess(access, bench)), name: named('W1, starts in process') },
    {
      name: named('W2, POST /v1/sessions'),
      turn: (ms) =>
        metered(pids, () => load.turn({ ...order, path: '/v1/sessions', kind: 'start', keyed: true, ms })),
      settle,
    },
    {
      name: named('W3, GET /v1/current'),
      turn: (ms) => metered(pids, () => load.turn({ ...order, path: '/v1/current', kind: 'current', ms })),
    },
  ];
}

/** In this process; with access control the key is looked at before each command, as the service's hook does. */
async function inProcess(access: Access, { stack, cleanup }: Bench): Promise<Omit<Side, 'name'>> {
  const url = await stack.createDatabase(`w11_${access}_here`);
  const token = access === 'required' ? await makeKey(url) : undefined;
  const ledger = await openHere(url, { LEDGER_ACCESS: access });
  cleanup.add(ledger.close);
  const { access: guard } = ledger.access;
  const who = () => {
    const asking = guard.of(token && `Bearer ${token}`, ['write'], '127.0.0.1');
    if (asking instanceof Promise) throw new Error('a key is known at once');
    return asking.caller;
  };
  const start = starter(ledger, undefined, who);
  return {
    turn: (ms) =>
      metered({ node: process.pid, postgres: stack.postgresPid }, () =>
        callLoops(CALLERS, ms, () => start(crypto.randomUUID())),
      ),
    settle: () => caughtUp(ledger),
  };
}
