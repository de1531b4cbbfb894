import { setTimeout as pause } from 'node:timers/promises';
import { CurrentReader } from '#log';
import { query } from '#postgres';
import { type Owner, partitionOfSession, type Session, scopeKey } from '#session';
import { startProxy, type TcpProxy } from '../../test/support/proxy.js';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { debug, dev, end, forSession, newPlace, sessionOf, start } from '../log/testing/submissions.js';
import { Reaper } from './reaper.js';
import { statement } from './statements.js';
import { eventsOf, leaseOf, openReplica, type Replica, startLeased, untilEvent } from './testing/leases.js';

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

test('readers who ask are told the times that an outage has put off', async () => {
  const reaper = replica.startReaper();
  await seen();
  const policy = { endReleasedAfterSeconds: 200 };
  const begin = async (more: object) =>
    sessionOf(await replica.submit(start(newPlace(ledger.partitions), more)));
  const reserved = { to: debug, reservedSeconds: 40 };
  const release = async (more: object) =>
    sessionOf(await replica.submit(forSession(await begin(more), { type: 'ReleaseOwnership', ...reserved })));
  const leased = await startLeased(replica, ledger, { seconds: 300 });
  const [released, kept] = [await release({ policy }), await release({})];
  const drain = { type: 'EndSession', origin: dev, reason: 'r', drainSeconds: 30 } as const;
  const ending = sessionOf(await replica.submit(forSession(await begin({}), drain)));
  const lapsing = await startLeased(replica, ledger, { graceSeconds: 600 });
  await untilEvent(ledger, lapsing, 'OwnershipLapsed', 5_000);
  await reaper.close();
  const reader = new CurrentReader({
    pool: ledger.servicePool(1),
    maxBatch: 1,
    queries: 1,
    maxQueue: 1,
    onFault: (error) => void replica.faults.push(error),
  });
  const read = async ({ sessionId, scope }: Session) => {
    const latest = await reader.readLeased(
      scopeKey({ tenant: 'acme', ...scope }),
      partitionOfSession(sessionId),
    );
    const { reservedUntil, expiresAt, drainUntil } = JSON.parse(latest?.json ?? '');
    return { due: latest?.due, reservedUntil, sessionUntil: expiresAt ?? drainUntil };
  };
  const all = () => Promise.all([released, kept, ending, lapsing].map(read));
  for (const { due, ...stored } of await all()) expect(due).toEqual(JSON.parse(JSON.stringify(stored)));

  // What is left has its own time again, at most 60 s, from when it came back.
  const { rows } = await ledger.pool.query(
    `update ledger.reaper set resumed_at = back, short_resumed_at = back
       from date_trunc('milliseconds', clock_timestamp() + interval '700 s') as back returning back`,
  );
  const after = (seconds: number) => new Date(rows[0].back.getTime() + seconds * 1_000).toISOString();
  expect((await read(leased)).due).toEqual({ leaseUntil: after(60) });
  expect((await all()).map(({ due }) => due)).toEqual([
    { reservedUntil: after(40), sessionUntil: after(60) },
    { reservedUntil: after(40) },
    { sessionUntil: after(30) },
    { reservedUntil: after(1), sessionUntil: after(1) },
  ]);
  expect(replica.faults).toEqual([]);
});

test.each([
  [0.5, []],
  [1.5, [1, 2, 3]],
  [2.5, [1, 2, 3, 4, 60]],
])(
  'after %d s without a reaper, of leases of 1, 2, 3, 4 and 60 s these wait for their time: %j',
  async (away, wait) => {
    const { pool } = ledger;
    const past = "clock_timestamp() - interval '1 hour'";
    const those = async (which: string) => {
      const { rows } = await pool.query(
        `select seconds from unnest('{1,2,3,4,60}'::int[]) as seconds, (select ${past} as past) where ${which}`,
      );
      return rows.map(({ seconds }) => seconds);
    };
    const since = `clock_timestamp() - make_interval(secs => ${away})`;
    await pool.query(`update ledger.reaper set seen_at = ${since}`);
    expect(await those('not ledger.lease_is_over(past, seconds)')).toEqual(wait);
    await pool.query(
      `update ledger.reaper set seen_at = ${since}, resumed_at = ${past}, short_resumed_at = ${past}`,
    );
    await query(pool, statement('reaper_round'));
    expect(await those('not ledger.lease_is_over(past, seconds)')).toEqual(wait);
    expect(await those('ledger.lease_end(past, seconds) > past + make_interval(secs => seconds)')).toEqual(
      wait,
    );
  },
);

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

  test('what is reserved stays so, and what a policy ends waits: as long again, at most 60 s', async () => {
    const reaper = replica.startReaper();
    await seen();
    await reaper.close();
    const policy = { endReleasedAfterSeconds: 1 };
    const released = async (reservedSeconds: number) => {
      const session = sessionOf(await replica.submit(start(newPlace(ledger.partitions), { policy })));
      const reserved = { to: debug, reservedSeconds };
      return sessionOf(await replica.submit(forSession(session, { type: 'ReleaseOwnership', ...reserved })));
    };
    const lapsing = await startLeased(replica, ledger, { seconds: 1, graceSeconds: 1 });
    const [short, long, silent] = [await released(1), await released(6), await released(1)];
    const claim = (session: Session, owner: Owner) =>
      replica.submit(forSession(session, { type: 'ClaimOwnership', owner, principal: owner.environment }));
    await pause(6_500); // all reservations are over, and there was nobody to say so
    for (const session of [short, long]) {
      const asked = Date.now();
      const { refusal } = (await claim(session, dev)) as { refusal: { code: string; until: string } };
      expect([refusal.code, Date.parse(refusal.until) > asked]).toEqual(['reserved', true]);
    }
    replica.startReaper();
    while ((await resumedAt()) < Date.now() - 2_000) await pause(20);
    await pause(1_300);
    expect(await claim(long, dev)).toMatchObject({ refusal: { code: 'reserved' } });
    expect(sessionOf(await claim(long, debug))).toMatchObject({ owner: debug });
    const expired = await untilEvent(ledger, silent, 'SessionExpired', 3_000);
    expect(Date.parse(expired.at) - (await resumedAt())).toBeGreaterThanOrEqual(2_000);
    await untilEvent(ledger, lapsing, 'OwnershipLapsed', 3_000);
    expect(replica.faults).toEqual([]);
  });

  test('what waits for its old owner goes to nobody else while that one has time', async () => {
    const reaper = replica.startReaper();
    await seen();
    const session = await startLeased(replica, ledger, { seconds: 3, graceSeconds: 2 });
    const lapsed = await untilEvent(ledger, session, 'OwnershipLapsed', 10_000);
    await reaper.close();
    await pause(3_000); // the grace is over
    const { short: before } = await cameBack();
    const claim = (owner: Owner) =>
      replica.submit(
        forSession((lapsed.event as { session: Session }).session, {
          type: 'ClaimOwnership',
          owner,
          principal: owner.environment,
        }),
      );
    expect(await claim(debug)).toMatchObject({ refusal: { code: 'reserved' } });
    replica.startReaper();
    while ((await cameBack()).short === before) await pause(20);
    expect(await claim(debug)).toMatchObject({ refusal: { code: 'reserved' } });
    expect(await claim(dev)).toMatchObject({ outcome: 'claimed' });
  });

  test('for less than a second nothing is put off', async () => {
    const reaper = replica.startReaper(100);
    await seen();
    const before = await cameBack();
    const session = await startLeased(replica, ledger);
    await pause(800);
    await reaper.close();
    await pause(300);
    replica.startReaper(100);
    const lapsed = await untilEvent(ledger, session, 'OwnershipLapsed', 2_000);
    expect(Date.parse(lapsed.at) - Date.parse(session.startedAt)).toBeLessThan(2_000);
    expect(await cameBack()).toEqual(before);
  });

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
