import { setTimeout as pause } from 'node:timers/promises';
import { CurrentReplica, Follower, type Lease, LedgerClient, NotHeld, type OwnedSession } from '#client';
import { failed, lossOf } from '../support/client.js';
import { type Fault, faultyWay, late, lost, page, problem, stopped, unsent } from '../support/faults.js';
import { type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(10_000);

/** What answers that are late or lost, ledgers that are slow and machines that sleep do to what a client holds. */

let service: Service;
let other: LedgerClient;
const clients: LedgerClient[] = [];
beforeAll(async () => {
  service = await startService();
  other = clientOf();
});
afterAll(() => {
  for (const client of clients) client.close();
});
const wallClock = Date.now;
afterEach(() => {
  Date.now = wallClock;
});
/** What a process sees of it: the wall clock has gone on, its own has not. */
const sleepFor = (seconds: number) => {
  Date.now = () => wallClock() + seconds * 1_000;
};

function clientOf(options: object = {}): LedgerClient {
  const client = new LedgerClient({ url: service.url, maxWatches: 0, ...options });
  clients.push(client);
  return client;
}

async function held(lease: Lease | undefined, options: object = {}) {
  const way = faultyWay();
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown) => troubles.push(error);
  const client = clientOf({ fetch: way.fetch, onTrouble, ...options });
  const session = await client.start({ userId: newUser(), owner: cloudDev, ...(lease && { lease }) });
  return { way, client, session, troubles };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const supersede = ({ view: { scope } }: OwnedSession) =>
  other.call('startSession', { body: { ...scope, owner: cloudDebug } });

const RENEW = '/v1/leases/renew';
const json = { 'content-type': 'application/json' };

describe('a session that is given up during a renewal is not renewed any more', () => {
  const ways: [string, (of: { session: OwnedSession; client: LedgerClient }) => unknown][] = [
    ['released', ({ session }) => session.release()],
    ['ended', ({ session }) => session.end({ reason: 'done' })],
    ['abandoned', ({ session }) => session.abandon()],
    ['lost', ({ session }) => session.changeAttributes({}).catch(() => {})],
    ['left by a client that closes', ({ client }) => client.close()],
  ];
  const answers: [string, (opened: Promise<void>) => Fault][] = [
    ['is renewed', (opened) => late(() => opened)],
    [
      'is refused',
      (opened) => async () => {
        await opened;
        return new Response('{"results":[{"sessionId":"of another","problem":{}}]}', { headers: json });
      },
    ],
    ['comes to nothing', (opened) => () => opened.then(() => page(502))],
  ];
  test.each(ways)('%s', async (how, giveUp) => {
    const sessions = await Promise.all(
      answers.map(async ([, answer]) => {
        const one = await held({ seconds: 2, graceSeconds: 60 });
        const { opened, open } = gate();
        one.way.plan(RENEW, answer(opened));
        return { ...one, open };
      }),
    );
    if (how === 'lost') await Promise.all(sessions.map(({ session }) => supersede(session)));
    await Promise.all(sessions.map(({ way }) => until(() => way.requestsOf(RENEW).length > 0)));
    await Promise.all(sessions.map((one) => giveUp(one)));
    for (const { open } of sessions) open();
    await pause(1_500); // twice what lies between two renewals
    const renewals = sessions.map(({ way }) => way.requestsOf(RENEW).length);
    expect(renewals).toEqual(sessions.map(() => 1));
    expect(sessions.map(({ client }) => client.held)).toEqual(sessions.map(() => []));
  });
});

describe('what is told late of a session', () => {
  test('of the epoch before its rotation does not renew the one after it', async () => {
    const { way, session } = await held({ seconds: 2 });
    const { opened, open } = gate();
    way.plan(
      RENEW,
      late(() => opened),
    );
    await until(() => way.requestsOf(RENEW).length > 0);
    const before = session.leftMs;
    way.plan(
      '/rotate',
      stopped(() => Response.json(rotated(session))),
    ); // by an answer that starts no lease anew
    await session.rotate({ reason: 'build' });
    open();
    await pause(100);
    expect(session.epoch).toBe(2);
    expect(session.leftMs).toBeLessThan(before);
    session.abandon();
  });

  test('as an answer to its own command does not bring it back once it is lost', async () => {
    const { way, session, client } = await held(undefined, { maxWatches: 1 });
    const { opened, open } = gate();
    way.plan(
      '/attributes',
      late(() => opened),
    );
    const change = session.changeAttributes({ a: 1 });
    await until(() => way.requestsOf('/attributes').length === 1);
    await until(async () => (await other.current(session.view.scope))?.revision === 2);
    const loss = lossOf(session);
    await supersede(session);
    expect((await loss).why).toBe('superseded');
    const { view, position } = session;
    open();
    await change;
    expect([session.state, session.view, session.position]).toEqual(['lost', view, position]);
    expect(client.held).toEqual([]);
  });

  test('of a revision before the one that is known is no news', async () => {
    const { session } = await held({ seconds: 60 });
    const idempotencyKey = newUser();
    await session.changeAttributes({ a: 1 }, { idempotencyKey });
    await session.changeAttributes({ b: 2 });
    const left = session.leftMs;
    await pause(20);
    expect((await session.changeAttributes({ a: 1 }, { idempotencyKey })).session.revision).toBe(2);
    expect(session.view).toMatchObject({ revision: 3, attributes: { a: 1, b: 2 } });
    expect(session.leftMs).toBeLessThan(left); // nor has it renewed anything
    await session.end({ reason: 'done' });
  });

  test('of a renewal that was asked for before something else renewed it takes nothing back', async () => {
    const { way, session } = await held({ seconds: 3 });
    const { opened, open } = gate();
    way.plan(
      RENEW,
      late(() => opened),
    );
    await until(() => way.requestsOf(RENEW).length > 0);
    await pause(50);
    await session.changeAttributes({ a: 1 });
    const over = performance.now() + session.leftMs;
    open();
    await pause(100);
    expect(performance.now() + session.leftMs).toBeGreaterThan(over - 5);
    session.abandon();
  });

  test('by a start that comes after its client was closed holds nothing', async () => {
    const { way, client } = await held(undefined);
    const { opened, open } = gate();
    way.plan(
      '/v1/sessions',
      late(() => opened),
    );
    const starting = client.start({ userId: newUser(), owner: cloudDev, lease: { seconds: 1 } });
    await until(() => way.requestsOf('/v1/sessions').length === 2);
    client.close();
    open();
    const session = await starting;
    expect([session.state, client.held]).toEqual(['released', []]);
    await pause(800);
    expect(way.requestsOf(RENEW)).toEqual([]);
    expect(await failed(session.run(() => 'late'))).toBeInstanceOf(NotHeld);
  });

  test('by a loss whose cause cannot be read is told all the same, within 100 ms', async () => {
    const { way, session } = await held(undefined, { maxWatches: 1 });
    way.plan(
      `/v1/sessions/${session.sessionId}`,
      late(() => new Promise(() => {})),
    );
    await until(() => way.requestsOf('/v1/current').length > 0);
    const loss = lossOf(session);
    await supersede(session);
    const began = performance.now();
    expect((await loss).why).toBe('superseded');
    expect(performance.now() - began).toBeLessThan(1_000); // of 12,000 that an attempt may take
  });
});

/** What the ledger says of a rotation that it had obeyed before. */
function rotated({ view }: OwnedSession) {
  const { epoch, revision } = view;
  const session = { ...view, epoch: epoch + 1, revision: revision + 1 };
  return { outcome: 'unchanged', session, position: { partition: 0, sequence: 1 } };
}

test('a guarded call that is asked for during a rotation begins under the epoch after it', async () => {
  const { way, session } = await held(undefined);
  for (const [path, ask] of [
    ['/rotate', () => session.rotate({ reason: 'build' })],
    ['/release', () => session.release()],
  ] as const) {
    const { opened, open } = gate();
    way.plan(
      path,
      late(() => opened),
    );
    const asked = ask();
    const guarded = session.run(({ epoch }) => epoch).catch((error: NotHeld) => error.why);
    await until(() => way.requestsOf(path).length === 1);
    open();
    await asked;
    expect(await guarded).toBe(path === '/rotate' ? 2 : 'released');
  }
});

test('a session that is taken up twice in one process is held once', async () => {
  const { client, session } = await held({ seconds: 60 });
  const { sessionId, epoch } = session;
  const again = await client.claim({ sessionId, epoch, owner: cloudDev });
  expect([session.state, again.state, client.held]).toEqual(['released', 'held', [again]]);
});

describe('a lease counts from before the question', () => {
  const seconds = 10;
  const LATE_MS = 400;
  const latest = seconds * 990 - LATE_MS + 50;
  const asks: [string, string, (session: OwnedSession) => Promise<unknown>][] = [
    ['a rotation', '/rotate', (session) => session.rotate({ reason: 'build' })],
    ['changed attributes', '/attributes', (session) => session.changeAttributes({ a: 1 })],
    ['an activation', '/activate', (session) => session.activate()],
    ['a drain', '/end', (session) => session.end({ reason: 'moving', drainSeconds: seconds })],
  ];
  test.each(asks)('that is %s', async (_, path, ask) => {
    const way = faultyWay();
    const client = clientOf({ fetch: way.fetch });
    const body = { userId: newUser(), owner: cloudDev, phase: 'starting' as const };
    const session = await client.start({ ...body, lease: { seconds } });
    if (path !== '/activate') await session.activate();
    await pause(300);
    const before = session.leftMs;
    way.plan(
      path,
      late(() => pause(LATE_MS)),
    );
    await ask(session);
    expect(session.leftMs).toBeLessThan(latest);
    expect(session.leftMs).toBeGreaterThan(Math.min(before - LATE_MS + 100, latest - 2_000));
    session.abandon();
  });

  test('that is a touch', async () => {
    const { way, session } = await held({ seconds, renewOn: 'use' });
    way.plan(
      '/touch',
      late(() => pause(LATE_MS)),
    );
    await session.touch();
    expect(session.leftMs).toBeLessThan(latest);
  });

  test('that is a renewal, which comes by itself', async () => {
    const { way, session } = await held({ seconds: 3 });
    way.plan(
      RENEW,
      late(() => pause(500)),
    );
    await until(() => way.requestsOf(RENEW).length > 0);
    const [{ at } = { at: 0 }] = way.requestsOf(RENEW);
    const before = session.leftMs;
    await until(() => session.leftMs > before);
    expect(performance.now() + session.leftMs - at).toBeLessThanOrEqual(3_000 * 0.99 + 5);
    session.abandon();
  });

  test('of a start whose first answer was lost: from before the first attempt', async () => {
    const way = faultyWay();
    const client = clientOf({ fetch: way.fetch });
    way.plan('/v1/sessions', async (...how) => {
      await pause(LATE_MS);
      return lost(...how);
    });
    const session = await client.start({ userId: newUser(), owner: cloudDev, lease: { seconds } });
    expect(way.requestsOf('/v1/sessions')).toHaveLength(2);
    expect(session.leftMs).toBeLessThan(latest);
    expect(session.leftMs).toBeGreaterThan(0); // it is no old answer: this very call was obeyed
    session.abandon();
  });
});

describe('a machine that slept', () => {
  const seconds = 30;
  test('begins nothing under a lease that may be over, and stops what it had begun', async () => {
    const { session, way, client } = await held({ seconds });
    expect(client.holds(session)).toBe(true);
    const unleased = await held(undefined);
    const { opened, open } = gate();
    way.plan(
      RENEW,
      late(() => opened),
    );
    const guarded = session.run(
      ({ signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
    );
    const free = unleased.session.run(({ signal }) => pause(1_500).then(() => signal.aborted));
    sleepFor(seconds);
    expect(session.leftMs).toBeLessThanOrEqual(0);
    expect(await failed(session.run(() => 'too late'))).toMatchObject({ why: 'lease-over' });
    expect(client.holds(session)).toBe(false);
    const began = performance.now();
    expect(await guarded).toMatchObject({ name: 'NotHeld', why: 'lease-over' });
    expect(performance.now() - began).toBeLessThan(2_000);
    // It is asked for at once, not when it would have been due by a clock that stood still.
    await until(() => way.requestsOf(RENEW).length > 0, 3_000);
    expect(await failed(session.run(() => 'too early'))).toMatchObject({ why: 'lease-over' });
    open();
    await until(() => session.leftMs > 0);
    expect(await session.run(({ signal }) => signal.aborted)).toBe(false);
    expect([session.state, await free]).toEqual(['held', false]);
  });

  test('has lost what has lapsed meanwhile, though its own clock has not moved', async () => {
    const { session, way } = await held({ seconds: 1, graceSeconds: 60 });
    way.plan(RENEW, ...Array.from({ length: 1_000 }, () => unsent)); // nothing of it runs
    await until(async () => (await other.current(session.view.scope))?.status === 'released');
    const loss = lossOf(session);
    way.plans.length = 0;
    sleepFor(3_600);
    expect(await failed(session.run(() => 'too late'))).toMatchObject({ name: 'NotHeld' });
    expect((await loss).why).toBe('lapsed');
  });

  test('for less than is left of its lease goes on with what is left', async () => {
    const { session } = await held({ seconds, renewOn: 'use' });
    sleepFor(seconds - 10);
    expect(session.leftMs).toBeLessThan(10_000);
    expect(await session.run(() => 'covered')).toBe('covered');
    for (let naps = 0; session.leftMs > 0; naps++) {
      expect(naps).toBeLessThan(300);
      sleepFor(seconds - 10 + naps * 0.05); // too short to be told from a clock that is set right, and many
    }
  });

  test('has old copies of what is current', async () => {
    const way = faultyWay();
    const client = clientOf({ fetch: way.fetch });
    const replica = await CurrentReplica.open({ ledger: client, lookMs: 100 });
    await until(() => replica.staleness < 5_000);
    way.plan('/v1/stats', ...Array.from({ length: 1_000 }, () => unsent));
    sleepFor(3_600);
    expect(replica.staleness).toBeGreaterThanOrEqual(3_600_000);
    way.plans.length = 0;
    await until(() => replica.staleness < 5_000);
    await replica.close();
  });

  test('is not what a wall clock that is set back makes of it, nor one that runs a little ahead', async () => {
    const { session, troubles } = await held({ seconds: 2 });
    for (const gain of [-3_600, -3_599.95]) {
      sleepFor(gain);
      for (let times = 0; times < 4; times++) {
        await pause(300);
        expect(await session.run(() => 'covered')).toBe('covered');
      }
    }
    expect(troubles).toEqual([]);
    session.abandon();
  });
});

describe('a copy is as old as the question', () => {
  test('of a follower: all that the ledger had when it was asked is handled', async () => {
    const way = faultyWay();
    const client = clientOf({ fetch: way.fetch });
    way.plan('/v1/stats', ...Array.from({ length: 100 }, () => late(() => pause(300))));
    const follower = new Follower({
      ledger: client,
      from: 'present',
      lookMs: 50,
      onEvents() {},
      onStopped() {},
    });
    for (let looks = 1; looks <= 3; looks++) {
      await until(() => follower.caughtUpAt > (way.requestsOf('/v1/stats')[looks - 1]?.at ?? 0) - 5);
      const asked = way.requestsOf('/v1/stats').map(({ at }) => at);
      const last = asked.filter((at) => at + 295 <= performance.now()).at(-1) as number;
      expect(follower.caughtUpAt).toBeLessThanOrEqual(last + 50);
    }
    await follower.stop();
  });

  test('of a replica: the snapshot is of when it was asked for', async () => {
    const way = faultyWay();
    const client = clientOf({ fetch: way.fetch });
    way.plan(
      '/v1/snapshot',
      late(() => pause(300)),
    );
    const replica = await CurrentReplica.open({ ledger: client, lookMs: 3_600_000 });
    expect(replica.staleness).toBeGreaterThanOrEqual(295);
    await replica.close();
  });

  test('of a replica whose snapshot breaks off is none', async () => {
    const way = faultyWay();
    const client = clientOf({ fetch: way.fetch });
    way.plan('/v1/snapshot', async (send) => {
      const text = await (await send()).text();
      const rest = text.slice(0, text.lastIndexOf('{"complete"'));
      return new Response(rest, { headers: { 'content-type': 'application/x-ndjson' } });
    });
    await expect(CurrentReplica.open({ ledger: client })).rejects.toThrow('broke off');
  });
});

test('a follower whose ledger answers from behind goes on; one whose ledger has lost events stops', async () => {
  const { position } = await other.join({ userId: newUser(), owner: cloudDev });
  const behind = () =>
    stopped(() => Response.json({ ledger: { heads: Array.from({ length: 16 }, () => 0) } }));
  const way = faultyWay();
  const client = clientOf({ fetch: way.fetch });
  const { heads } = (await other.call('stats', {})).ledger!;
  const options = { ledger: client, lookMs: 50, onEvents() {}, onStopped() {} };
  way.plan('/v1/stats', behind(), behind(), behind());
  const follower = new Follower({ ...options, from: new Map(heads.entries()) });
  await until(() => way.requestsOf('/v1/stats').length > 4);
  expect(follower.positions.get(position.partition)).toBe(heads[position.partition]);
  await follower.stop();
  expect(await follower.done).toBeUndefined();
  const ahead = new Map([[position.partition, (heads[position.partition] as number) + 1]]);
  expect(await new Follower({ ...options, from: ahead }).done).toMatchObject({ code: 'position-ahead' });
});

test('what goes wrong with a renewal is told, and it is tried again', async () => {
  const { way, session, troubles } = await held({ seconds: 2 });
  way.plan(
    RENEW,
    stopped(() => page(500)),
  );
  await until(() => way.requestsOf(RENEW).length === 2);
  expect(troubles).toMatchObject([{ name: 'UnexpectedAnswer', status: 500 }]);
  expect(session.state).toBe('held');
  session.abandon();
});

test('headers that do not come hold up one renewal, not the next', async () => {
  let asked = 0;
  const headers = () => {
    asked += 1;
    return asked === 2 ? new Promise<never>(() => {}) : {};
  };
  const { session } = await held({ seconds: 3 }, { headers });
  await until(() => asked > 2);
  await until(() => session.leftMs > 2_000);
  expect(await session.run(() => 'covered')).toBe('covered');
  session.abandon();
});

test('a ledger that fails is not asked without end', async () => {
  const way = faultyWay();
  way.plan('/v1/current', ...Array.from({ length: 10_000 }, () => stopped(() => page(500))));
  const client = clientOf({ fetch: way.fetch, maxWatches: 1 });
  const session = await client.start({ userId: newUser(), owner: cloudDev });
  await pause(1_000);
  expect(way.requestsOf('/v1/current').length).toBeLessThan(40);
  session.abandon();
});

test('a wait that is over makes room for the next one', async () => {
  const { client, way, session } = await held(undefined, { maxWatches: 1 });
  await session.end({ reason: 'done' });
  await pause(20);
  const next = await client.start({ userId: newUser(), owner: cloudDev });
  const loss = lossOf(next);
  await supersede(next);
  expect((await loss).why).toBe('superseded');
  expect(way.requestsOf('/v1/current').length).toBeGreaterThan(0);
});

test('a session whose release stayed in doubt at the end of its block says so', async () => {
  const { way, session } = await held({ seconds: 60 });
  way.plan(
    '/release',
    lost,
    stopped(() => problem('overloaded', 429)),
  );
  const error = await failed(session[Symbol.asyncDispose]());
  expect(error).toMatchObject({ outcomeUnknown: true });
  expect(session.state).toBe('lost');
  const refused = await held(undefined);
  await supersede(refused.session);
  await refused.session[Symbol.asyncDispose]();
  expect(refused.session.state).toBe('lost');
});
