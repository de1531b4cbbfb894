import { execute } from '../support/database.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { record } from './figures.js';
import { callersOf, isObeyed, median, postgresCpu, starts, timesOf, usersOf } from './load.js';

const TURNS = 5;
const TURN_MS = 4_000;
const WITHOUT = { LEDGER_ROLES: 'api' };
/**
 * All roles, and a projector that keeps up. By itself it would put off more beside one replica, whose commands take all of
 * its time, than beside two that wait for each other: then the figures would compare different amounts of work.
 */
const WITH = { LEDGER_PROJECTOR_SHARE: '100' };
const groups = [{ body: starts.body, users: usersOf(20_000) }];

/** A new ledger, served by so many replicas, and callers who ask them in turns. */
async function served(replicas: number, env: NodeJS.ProcessEnv) {
  const databaseUrl = await freshDatabase();
  const services: Service[] = [];
  for (let one = 0; one < replicas; one++) services.push(await startService({ databaseUrl, env }));
  const callers = callersOf(...services);
  return {
    async turn(connections: number) {
      const before = await postgresCpu(databaseUrl);
      const told = await callers.call({ path: starts.path, groups, connections, rampMs: 500, ms: TURN_MS });
      const cpu = (await postgresCpu(databaseUrl)) - before;
      const obeyed = timesOf(told, isObeyed).length;
      // Those of the ramp cost as much and are not counted: about as many in each turn.
      return { perSecond: obeyed / (TURN_MS / 1_000), cpu: (cpu / obeyed) * 1e6 };
    },
    async end() {
      callers.end();
      for (const service of services) await service.stop();
      return (await execute(databaseUrl, 'select sum(sequence)::int as events from ledger.heads')).rows[0]
        .events;
    },
  };
}

test.each<[number, string, NodeJS.ProcessEnv]>([
  [64, 'without the projector', WITHOUT],
  [256, 'without the projector', WITHOUT],
  [64, 'with all roles', WITH],
  [256, 'with all roles', WITH],
])(
  'two replicas on one Postgres do as much as one, at the same cost: %d callers, %s',
  async (connections, what, env) => {
    const [one, two] = [await served(1, env), await served(2, env)];
    const turns: Record<'perSecond' | 'cpu', [number, number]>[] = [];
    for (let turn = 0; turn <= TURNS; turn++) {
      const [alone, together] = [await one.turn(connections), await two.turn(connections)];
      if (turn > 0)
        turns.push({ perSecond: [alone.perSecond, together.perSecond], cpu: [alone.cpu, together.cpu] });
    }
    await one.end();
    await two.end();
    const load = `two replicas, ${connections} callers, ${what}`;
    const of = (what: 'perSecond' | 'cpu', side: 0 | 1) => median(turns.map((turn) => turn[what][side]));
    const ratio = (what: 'perSecond' | 'cpu') => median(turns.map((turn) => turn[what][1] / turn[what][0]));
    record({
      load,
      measure: 'commands a second',
      before: of('perSecond', 0),
      under: of('perSecond', 1),
      bound: '≥ 0.9×',
    });
    record({
      load,
      measure: 'CPU of Postgres a command, µs',
      before: of('cpu', 0),
      under: of('cpu', 1),
      bound: '≤ 1.1×',
    });
    expect(ratio('cpu')).toBeLessThan(1.1);
    expect(ratio('perSecond')).toBeGreaterThan(0.9);
  },
  200_000,
);
