import { randomInt } from 'node:crypto';
import { LedgerClient } from '#client';
import { partitionOf, scopeKey } from '#session';
import { callLoops, compared, interleave, type Row, row, type Side } from '../harness.js';
import { caughtUp, openHere } from '../ledger.js';
import { projected, startService } from '../processes.js';
import { SCOPES, scopeNumber, startBody } from '../scopes.js';
import { seed } from '../seed.js';
import { metered } from '../stack.js';
import { starter } from './w1-commands.js';
import type { Bench, Workload } from './workload.js';

const ALONE = 'one request each';
const HERE = 'in process';

/** Callers of the client in one process: a request each, gathered, and without HTTP in between. */
export const gathered: Workload = {
  id: 'W10',
  title: `the client: starts in one of ${SCOPES.toLocaleString('en')} scopes, rotations, and reads of what is current`,
  kafka: false,
  long: true,
  async run(bench: Bench) {
    const { plan, signal, full } = bench;
    const groups = await openSides(bench);
    const counts = full ? [1, 64, 256, 1_024] : [1, 64, 256];
    const sides = groups.flatMap(({ name, ...group }) =>
      counts.map((callers) => ({ name, callers, ...group.of(callers) })),
    );
    const order = sides.flatMap(({ alone, together, here }) => [alone, together, ...(here ? [here] : [])]);
    const turns = await interleave(order, plan, signal);
    const of = (side: Side) => turns.get(side.name) ?? [];
    return sides.flatMap(({ name, callers, alone, together, here }): Row[] => {
      const mine = row(`${name}, gathered`, callers, of(together));
      return [
        compared(mine, of(together), { name: ALONE, turns: of(alone) }),
        ...(here ? [compared(mine, of(together), { name: HERE, turns: of(here) })] : []),
        row(`${name}, ${ALONE}`, callers, of(alone)),
        ...(here ? [row(`${name}, ${HERE}`, callers, of(here))] : []),
      ];
    });
  },
};

type Call = () => Promise<unknown>;

async function openSides({ stack, cleanup, signal, seeded }: Bench) {
  const DATABASE_URL = await stack.createDatabase('w10');
  await seed(DATABASE_URL, seeded, signal);
  const service = await startService({ DATABASE_URL, KAFKA_BROKERS: 'none' }, cleanup);
  await projected(service, signal);
  const hereUrl = await stack.createDatabase('w10_here');
  await seed(hereUrl, seeded, signal);
  const ledger = await openHere(hereUrl);
  cleanup.add(ledger.close);
  await caughtUp(ledger);

  const url = `http://127.0.0.1:${service.port}`;
  const maxCalls = 2_000;
  const alone = new LedgerClient({ url, gather: false, maxCalls });
  const together = new LedgerClient({ url, maxCalls });
  cleanup.add(async () => {
    alone.close();
    together.close();
  });

  const start = starter(ledger);
  const read = () => {
    const key = scopeKey({ tenant: 'default', ...scopeNumber(randomInt(seeded)) });
    return ledger.reader.read(key, partitionOf(key, ledger.naming.partitions));
  };
  const pids = { client: process.pid, service: service.pid, postgres: stack.postgresPid };
  const group = (name: string, by: (client: LedgerClient) => () => Call, here?: () => Call) => ({
    name,
    of(callers: number): { alone: Side; together: Side; here?: Side } {
      const side = (kind: string, call: () => Call, settle: () => Promise<unknown>): Side => ({
        name: `${name} ${callers} ${kind}`,
        turn: (ms) => metered(pids, () => callLoops(callers, ms, call())),
        settle,
      });
      const settled = () => projected(service, signal);
      return {
        alone: side(ALONE, by(alone), settled),
        together: side('gathered', by(together), settled),
        ...(here && { here: side(HERE, here, () => caughtUp(ledger)) }),
      };
    },
  });
  return [
    group(
      'starts',
      (client) => () => () => client.call('startSession', { body: startBody(randomInt(SCOPES)) }),
      () => () => start(crypto.randomUUID()),
    ),
    group('rotations', rotations),
    group(
      'reads',
      (client) => () => () => client.current(scopeNumber(randomInt(seeded))),
      () => read,
    ),
  ];
}

/** Each caller rotates a session of its own, again and again. */
function rotations(client: LedgerClient): () => Call {
  return () => {
    const free: { sessionId: string; epoch: number }[] = [];
    return async () => {
      const mine = free.pop();
      const { session } = mine
        ? await client.call('rotateSession', {
            params: { sessionId: mine.sessionId },
            body: { epoch: mine.epoch, reason: 'build' },
          })
        : await client.call('startSession', { body: startBody(SCOPES + randomInt(1_000 * SCOPES)) });
      free.push(session);
    };
  };
}
