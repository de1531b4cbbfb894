import { setTimeout as pause } from 'node:timers/promises';
import { Follower, LedgerClient } from '#client';
import { execute } from '../support/database.js';
import { ask } from '../support/http.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(40_000);

// An upgrade as docs/running.md has it: the schema first, then one replica after the other, while callers go on.

const OWNERS = { environment: 'cloud-dev', instance: 'an-owner' };
let replicas: Service[];
let balancer: TcpProxy;
/** Of the replicas that say that they are ready; a connection goes to each in turn. */
let inTurn: Service[];
let looking = true;

beforeAll(async () => {
  const databaseUrl = await freshDatabase();
  replicas = [await startService({ databaseUrl })];
  replicas.push(await startService({ databaseUrl, env: { LEDGER_MIGRATE: 'never' } }));
  inTurn = [...replicas];
  let turn = 0;
  const target = {
    host: '127.0.0.1',
    get port() {
      turn += 1;
      return Number(new URL((inTurn[turn % inTurn.length] ?? replicas[0])!.url).port);
    },
  };
  balancer = await startProxy({ target });
  void look();
}, 60_000);
afterAll(async () => {
  looking = false;
  await Promise.all(replicas.map((one) => one.stop()));
  await balancer.close();
});

/** What a load balancer does. */
async function look(): Promise<void> {
  for (; looking; await pause(50)) {
    const found = replicas.map(async (one) => {
      const status = await ask(`${one.url}/health/ready`).then(
        (answer) => answer.status,
        () => undefined,
      );
      return status === 200 ? [one] : [];
    });
    inTurn = (await Promise.all(found)).flat();
  }
}

/** Callers who start a session after another for users of their own, until they are told to stop. */
function calling(ledger: LedgerClient, callers: number) {
  const told = { started: new Set<string>(), failed: [] as unknown[] };
  let isOver = false;
  const all = Array.from({ length: callers }, async () => {
    const userId = newUser();
    while (!isOver) {
      await ledger.call('startSession', { body: { userId, owner: cloudDev } }).then(
        ({ session }) => told.started.add(session.sessionId),
        (error) => told.failed.push(error),
      );
    }
  });
  return {
    told,
    more: (count: number) => {
      const wanted = told.started.size + count;
      return until(() => told.started.size >= wanted);
    },
    async stop() {
      isOver = true;
      await Promise.all(all);
    },
  };
}

test('nobody notices: commands are obeyed once, a lease is held, a follower misses nothing', async () => {
  const ledger = new LedgerClient({ url: `http://${balancer.address}` });
  const owned = await ledger.start({ userId: newUser(), owner: OWNERS, lease: { seconds: 10 } });
  const losses: unknown[] = [];
  owned.onLost((loss) => losses.push(loss));
  const seen: string[] = [];
  const follower = new Follower({
    ledger,
    from: 'present',
    lookMs: 300,
    onEvents: (events) => {
      for (const { document } of events) seen.push(document.id);
    },
    onStopped: () => undefined,
  });
  await until(() => follower.positions.size > 0);
  const before = new Map(follower.positions);
  const load = calling(ledger, 8);
  await load.more(100);

  // What a migration may do while older replicas run: add.
  const { databaseUrl } = replicas[0] as Service;
  const tables = await execute(
    databaseUrl,
    "select c.oid::regclass as name from pg_class c where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p') and not relispartition",
  );
  for (const { name } of tables.rows) await execute(databaseUrl, `alter table ${name} add column added int`);
  expect(tables.rows.length).toBeGreaterThan(15);
  await load.more(100);

  for (const replica of replicas) {
    expect(await replica.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await load.more(50);
    await replica.restart();
    await until(() => inTurn.length === 2);
    await load.more(50);
  }
  await load.stop();
  expect(load.told.failed).toEqual([]);
  expect(losses).toEqual([]);
  expect(replicas.map((one) => one.output()).join('\n')).not.toMatch(/ERROR/);

  const { heads } = (await ask<{ ledger: { heads: number[] } }>(`${replicas[0]?.url}/v1/stats`)).body.ledger;
  await until(() => heads.every((head, partition) => (follower.positions.get(partition) ?? 0) >= head));
  const written = heads.flatMap((head, partition) => {
    const first = (before.get(partition) ?? 0) + 1;
    return Array.from(
      { length: Math.max(0, head - first + 1) },
      (_, index) => `${partition}:${first + index}`,
    );
  });
  expect([...seen].sort()).toEqual(written.sort());
  // Each command that was obeyed began one session, and each session is somebody's.
  const { rows } = await execute(
    databaseUrl,
    "select count(*)::int as count from ledger.events where type = 'SessionStarted'",
  );
  expect(rows[0].count).toBe(load.told.started.size + 1);
  await owned.end({ reason: 'done' });
  await follower.stop();
  await ledger.close();
}, 120_000);
