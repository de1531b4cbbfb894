import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startPostgres } from '#dev-stack';
import { execute } from '../support/database.js';
import { startService } from '../support/service.js';
import { record } from './figures.js';
import { callersOf, starts, usersOf } from './load.js';

const LOAD = 'a synchronous standby is away for 40 s';
/** Two lanes, the renewer, the projector, and one for each kind of work that writes over a pool. */
const MOST = 16;

test('while a synchronous standby is away each kind of work hangs once, not again and again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'session-ledger-load-standby-'));
  const postgres = await startPostgres({ dataDir: directory, port: await freePort(), log: () => undefined });
  const setStandby = async (name: string) => {
    await execute(postgres.url, `alter system set synchronous_standby_names = '${name}'`);
    await execute(postgres.url, 'select pg_reload_conf()');
  };
  try {
    const service = await startService({
      databaseUrl: postgres.url,
      kafkaBrokers: process.env.TEST_KAFKA_BROKERS as string,
    });
    const callers = callersOf(service);
    const order = {
      path: starts.path,
      groups: [{ body: starts.body, users: usersOf(1_000) }],
      connections: 64,
    };
    await callers.call({ ...order, ms: 2_000 });
    await setStandby('missing');
    const waiting = callers.call({ ...order, ms: 40_000 });
    let most = 0;
    for (const end = performance.now() + 40_000; performance.now() < end; await pause(500)) {
      const { rows } = await execute(
        postgres.url,
        "select count(*)::int as count from pg_stat_activity where wait_event = 'SyncRep'",
      );
      most = Math.max(most, rows[0].count);
    }
    await setStandby('');
    await waiting;
    callers.end();
    await service.stop();
    record({ load: LOAD, measure: 'backends that hang at once, at most', under: most, bound: `≤ ${MOST}` });
    expect(most).toBeLessThanOrEqual(MOST);
  } finally {
    await setStandby('');
    await postgres.stop();
    await rm(directory, { recursive: true });
  }
}, 120_000);
