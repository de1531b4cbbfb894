import { setTimeout as pause } from 'node:timers/promises';
import { startProxy, type TcpProxy } from '../../test/support/proxy.js';
import { Reaper } from './index.js';
import { eventsOf, leaseOf, openReplica, type Replica, startLeased, untilEvent } from './testing/leases.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { brokenPromises } from './testing/promises.js';
import { end, forSession, sessionOf } from './testing/submissions.js';

let ledger: TestLedger;
let replica: Replica;
beforeEach(async () => {
  ledger = await openTestLedger();
  replica = openReplica(ledger);
});
afterEach(async () => {
  await replica.close();
  const broken = await brokenPromises(ledger.pool);
  await ledger.close();
  expect(broken).toEqual([]);
});

/** When the reaper came back last, for leases of less than 4 s and for longer ones. */
const cameBack = async () => {
  const { rows } = await ledger.pool.query(
    `select extract(epoch from short_resumed_at)::float8 * 1000 as short,
            extract(epoch from resumed_at)::float8 * 1000 as long
       from ledger.reaper`,
  );
  return rows[0] as { short: number; long: number };
};
const resumedAt = async () => (await cameBack()).long;
const seen = async () => {
  const until = performance.now() + 5_000;
  while (!Number.isFinite(await resumedAt()) && performance.now() < until) await pause(20);
};

describe('while the reaper is away', () => {
  test('nothing lapses: a command finds its lease alive, and it can be renewed', async () => {
    const reaper = replica.startReaper();
    await seen();
    await reaper.close();
    const sessions = await Promise.all(
      Array.from({ length: 3 }, () => startLeased(replica, ledger, { graceSeconds: 60 })),
    );
    const [asking, renewing, silent] = sessions as [
      (typeof sessions)[0],
      (typeof sessions)[0],
      (typeof sessions)[0],
    ];
    await pause(2_500); // over for 1.5 s, and nobody was there to say so for over 2 s
    const ask = () => replica.submit(forSession(asking, { type: 'ActivateSession' }));
    expect(await ask()).toMatchObject({ kind: 'accepted', outcome: 'unchanged' });
    expect(await replica.renew(renewing)).toHaveProperty('until');

    // It comes back: what ran out meanwhile has a second more, the time of its lease.
    replica.startReaper();
    await pause(700);
    expect(await ask()).toMatchObject({ kind: 'accepted', outcome: 'unchanged' });
    expect(await replica.renew(renewing)).toHaveProperty('until');
    const lapsed = await untilEvent(ledger, silent, 'OwnershipLapsed', 3_000);
    const waited = Date.parse(lapsed.at) - (await resumedAt());
    expect(waited).toBeGreaterThanOrEqual(1_000);
    expect(waited).toBeLessThan(2_000);
    expect(await ask()).toMatchObject({ refusal: { code: 'stale-epoch' } });
    expect(await eventsOf(ledger, renewing)).toHaveLength(1);
    expect(replica.faults).toEqual([]);
  });

  // What it lasts, how long the reaper is away meanwhile, and whether it waits for that.
  const leases: [number, number, 'in time' | 'put off'][] = [
    [1, 600, 'in time'],
    [2, 1_400, 'put off'],
    [3, 1_400, 'put off'],
    [4, 1_400, 'in time'],
  ];
  test.each(leases)(
    'a lease of %d s lapses after %d ms without a reaper %s',
    async (seconds, awayMs, when) => {
      const reaper = replica.startReaper(100);
      await seen();
      const before = await cameBack();
      const session = await startLeased(replica, ledger, { seconds, graceSeconds: 60 });
      await pause(seconds * 1_000 - awayMs);
      await reaper.close();
      await pause(awayMs);
      replica.startReaper(100);
      const lapsed = await untilEvent(ledger, session, 'OwnershipLapsed', (2 * seconds + 2) * 1_000);
      const after = await cameBack();
      expect(after.long).toBe(before.long);
      const [at, due] = [Date.parse(lapsed.at), Date.parse(session.startedAt) + seconds * 1_000];
      if (when === 'in time') {
        expect(at - due).toBeLessThan(1_000);
      } else {
        expect(at - after.short).toBeGreaterThanOrEqual(seconds * 1_000);
        expect(at - after.short).toBeLessThan(seconds * 1_000 + 1_000);
      }
    },
  );

  test('a drain that began after it came back ends on time, however long the lease is', async () => {
    replica.startReaper();
    await seen();
    const session = await startLeased(replica, ledger, { seconds: 3_600 });
    const drained = sessionOf(await replica.submit(end(session, { drainSeconds: 1 })));
    const ended = await untilEvent(ledger, session, 'SessionEnded', 3_000);
    expect(Date.parse(ended.at)).toBeGreaterThanOrEqual(Date.parse(drained.drainUntil ?? ''));
  });
});

test('a great many lapses at once are no outage, though settling a page takes over 1 s, and all over 2 s', async () => {
  await ledger.pool.query(
    `insert into ledger.leases (partition, session_id, epoch, seconds, renewable, until, check_at)
     select 0, gen_random_uuid(), 1, 1, true, at, at
       from generate_series(1, 2100), (select clock_timestamp() + interval '1.5 seconds' as at)`,
  );
  const settled: string[] = [];
  let page: Promise<void> | undefined;
  const settlePage = async (first: number) => {
    await pause(1_100);
    page = undefined;
    const ids = settled.slice(first);
    await ledger.pool.query('delete from ledger.leases where session_id = any($1)', [ids]);
  };
  const settle = (sessionId: string) => {
    settled.push(sessionId);
    page ??= settlePage(settled.length - 1);
    return page;
  };
  const pool = ledger.servicePool(2);
  const reaper = new Reaper({ pool, everyMs: 100, settle, onFault: (error) => replica.faults.push(error) });
  reaper.start();
  await seen();
  const before = await cameBack();
  const until = performance.now() + 10_000;
  while (settled.length < 2_100 && performance.now() < until) await pause(50);
  await reaper.close();
  expect([settled.length, new Set(settled).size, replica.faults]).toEqual([2_100, 2_100, []]);
  expect(await cameBack()).toEqual(before);
}, 20_000);

describe('while the database is away', () => {
  let proxy: TcpProxy;
  let behind: Replica;
  beforeEach(async () => {
    const { hostname: host, port } = new URL(ledger.database.url);
    proxy = await startProxy({ target: { host, port: Number(port) } });
    behind = openReplica(ledger, { url: proxy.reroute(ledger.database.url) });
  });
  afterEach(async () => {
    proxy.heal();
    await behind.close();
    await proxy.close();
  });

  test('leases that ran out wait, are renewed, and lapse only then; a command that finds them, too', async () => {
    behind.startReaper();
    await seen();
    const start = () => startLeased(behind, ledger, { seconds: 5, graceSeconds: 60 });
    const [renewing, asking, silent] = [await start(), await start(), await start()];
    proxy.cut();
    await pause(6_000);
    await expect(behind.renew(renewing)).rejects.toMatchObject({ code: 'unavailable' });
    proxy.heal();
    const healed = Date.now();
    const ask = () => behind.submit(forSession(asking, { type: 'ActivateSession' }));
    expect(await ask()).toMatchObject({ kind: 'accepted', outcome: 'unchanged' });
    expect(await behind.renew(renewing)).toHaveProperty('until');
    while ((await resumedAt()) < healed) await pause(20);
    await pause(1_000);
    expect(await ask()).toMatchObject({ kind: 'accepted', outcome: 'unchanged' });
    expect(await behind.renew(renewing)).toHaveProperty('until');
    const lapsed = await untilEvent(ledger, silent, 'OwnershipLapsed', 10_000);
    const waited = Date.parse(lapsed.at) - (await resumedAt());
    expect(waited).toBeGreaterThanOrEqual(5_000);
    expect(waited).toBeLessThan(6_000);
    expect(await replica.renew(renewing)).toHaveProperty('until');
    expect(await leaseOf(ledger, renewing)).toMatchObject({ epoch: 1, renewable: true });
  });
});
