import { setTimeout as pause } from 'node:timers/promises';
import { LedgerClient, type Loss, NotHeld, type OwnedSession } from '#client';
import { failed, lossOf } from '../support/client.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(5_000);

let service: Service;
let proxy: TcpProxy;
let ledger: LedgerClient;
let other: LedgerClient;
const troubles: unknown[] = [];
beforeAll(async () => {
  service = await startService();
  proxy = await startProxy({ target: { host: '127.0.0.1', port: Number(new URL(service.url).port) } });
  ledger = new LedgerClient({ url: service.url, onTrouble: (error) => troubles.push(error) });
  other = new LedgerClient({ url: service.url });
});
const realNow = Date.now;
afterEach(() => {
  Date.now = realNow;
  proxy.heal();
});
afterAll(async () => {
  ledger.close();
  other.close();
  await proxy.close();
});

const lease = { seconds: 1, graceSeconds: 30 };
const start = (more: object = {}, userId = newUser()) => ledger.start({ userId, owner: cloudDev, ...more });
const nowOf = (session: OwnedSession) => ledger.current(session.view.scope);

const json = { 'content-type': 'application/json' };
const never = (signal: AbortSignal) =>
  new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('an owned session', () => {
  test('renews its lease by itself, for many times its length', async () => {
    const session = await start({ lease });
    await pause(2_600);
    expect(await session.run(({ sessionId, epoch }) => [sessionId, epoch])).toEqual([session.sessionId, 1]);
    expect(await nowOf(session)).toMatchObject({ sessionId: session.sessionId, epoch: 1, status: 'active' });
    await session.end({ reason: 'done' });
  });

  test('renews for many sessions in one request', async () => {
    const bodies: unknown[][] = [];
    const counting = new LedgerClient({
      url: service.url,
      maxWatches: 0,
      fetch: (input, init) => {
        if (String(input).endsWith('/v1/leases/renew')) bodies.push(JSON.parse(String(init?.body)));
        return fetch(input, init);
      },
    });
    const many = Array.from({ length: 200 }, () =>
      counting.start({ userId: newUser(), owner: cloudDev, lease: { seconds: 3 } }),
    );
    const sessions = await Promise.all(many);
    await pause(4_000);
    expect(sessions.map(({ state, leftMs }) => [state, leftMs > 0])).toEqual(
      sessions.map(() => ['held', true]),
    );
    expect(bodies.flat().length).toBeGreaterThanOrEqual(3 * 200);
    expect(bodies.length).toBeLessThanOrEqual(24);
    await counting[Symbol.asyncDispose]();
    expect(sessions.map(({ state }) => state)).toEqual(sessions.map(() => 'released'));
  });

  test('does not renew what its use renews', async () => {
    const session = await start({ lease: { seconds: 2, renewOn: 'use', onLapse: 'end' } });
    await pause(1_100);
    await session.touch();
    await until(() => session.leftMs < 900); // by now it would be over without that
    expect(await session.run(() => 'used')).toBe('used');
    expect((await lossOf(session)).why).toBe('expired');
  });

  test('is released at the end of its block', async () => {
    const userId = newUser();
    {
      await using session = await start({ lease }, userId);
      expect(session.state).toBe('held');
    }
    expect(await ledger.current({ userId })).toMatchObject({ status: 'released', previousOwner: cloudDev });
  });

  test('that is not current any more is left as it is at the end of its block', async () => {
    const userId = newUser();
    let taken: OwnedSession;
    {
      await using _ = await start({}, userId);
      taken = await other.start({ userId, owner: cloudDebug });
    }
    expect(await ledger.current({ userId })).toMatchObject({ sessionId: taken.sessionId, status: 'active' });
  });

  test('keeps its epoch through rotations and attributes that are asked for at once', async () => {
    const session = await start({ lease });
    const first = session.sessionId;
    const outcomes = await Promise.all([
      session.rotate({ reason: 'build' }),
      session.changeAttributes({ model: 'one' }),
      session.rotate({ reason: 'compact' }),
      session.changeAttributes({ model: 'two' }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['rotated', 'changed', 'rotated', 'changed']);
    expect([session.state, session.epoch, session.sessionId === first]).toEqual(['held', 3, false]);
    expect(await nowOf(session)).toEqual(session.view);
    expect(await ledger.guard(session.sessionId, ({ epoch }) => epoch)).toBe(3);
    expect(await failed(ledger.guard(first, () => 'reached'))).toMatchObject({ why: 'not-here' });
    await session.end({ reason: 'done' });
  });

  test('never takes its own changes for a loss', async () => {
    const losses: Loss[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const session = await start({ lease });
        session.onLost((loss) => losses.push(loss));
        for (let rotations = 0; rotations < 10; rotations++) await session.rotate({ reason: 'build' });
        expect(session.epoch).toBe(11);
        await session.release();
      }),
    );
    expect(losses).toEqual([]);
  });

  test('is activated, drained and ended', async () => {
    const session = await start({ phase: 'starting', lease: { seconds: 60 } });
    expect((await session.activate()).outcome).toBe('activated');
    expect((await session.end({ reason: 'moving', drainSeconds: 30 })).outcome).toBe('ending');
    expect([session.state, session.view.status]).toEqual(['held', 'ending']);
    expect(session.leftMs).toBeLessThanOrEqual(30_000);
    expect(await session.run(() => 'still')).toBe('still');
    expect((await session.end({ reason: 'moved' })).outcome).toBe('ended');
    expect(await failed(session.run(() => 'late'))).toMatchObject({ name: 'NotHeld', why: 'ended' });
    expect(await failed(session.rotate({ reason: 'build' }))).toBeInstanceOf(NotHeld);
  });

  test('is claimed by the next owner, and taken up again after a restart', async () => {
    const session = await start({ lease });
    await session.release({ to: cloudDebug, reservedSeconds: 30 });
    const named = { sessionId: session.sessionId, epoch: session.epoch, owner: cloudDebug };
    const claimed = await other.claim(named);
    expect([claimed.epoch, claimed.state]).toEqual([3, 'held']);
    // What a process that was restarted does: it does not know how old its lease is before it has renewed it.
    const again = await new LedgerClient({ url: service.url }).claim({ ...named, epoch: 3 });
    expect(await failed(again.run(() => 'too early'))).toMatchObject({ why: 'lease-over' });
    await until(() => again.leftMs > 0);
    expect(await again.run(({ epoch }) => epoch)).toBe(3);
    await again.end({ reason: 'done' });
    expect((await lossOf(claimed)).why).toBe('ended');
  });

  test('an old answer to an old key is no new lease', async () => {
    const [userId, idempotencyKey] = [newUser(), newUser()];
    const body = { userId, owner: cloudDev, lease: { seconds: 60 } };
    const first = await other.start(body, { idempotencyKey });
    const again = await ledger.start(body, { idempotencyKey });
    expect([again.sessionId, again.leftMs]).toEqual([first.sessionId, Number.NEGATIVE_INFINITY]);
    await until(() => again.leftMs > 0);
    first.abandon();
    await again.end({ reason: 'done' });
    expect(await failed(ledger.start(body, { idempotencyKey }))).toBeInstanceOf(NotHeld);
  });

  test('beyond the most is not started', async () => {
    const small = new LedgerClient({ url: service.url, maxSessions: 2 });
    const userId = newUser();
    const starts = ['a', 'b', 'c'].map((projectId) => small.start({ userId, projectId, owner: cloudDev }));
    const results = await Promise.allSettled(starts);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(await ledger.current({ userId, projectId: 'c' })).toBeUndefined();
    await small[Symbol.asyncDispose]();
  });
});

describe('a loss', () => {
  test.each([
    {
      why: 'superseded',
      how: (mine: OwnedSession) => other.start({ userId: mine.view.scope.userId, owner: cloudDebug }),
    },
    {
      why: 'ended',
      how: (mine: OwnedSession) =>
        other.end(mine.sessionId, {
          epoch: mine.epoch,
          origin: cloudDebug,
          reason: 'user left',
          force: true,
        }),
    },
    {
      why: 'claimed',
      how: (mine: OwnedSession) =>
        other.claim({ sessionId: mine.sessionId, epoch: mine.epoch, owner: cloudDebug, force: true }),
    },
    {
      why: 'released',
      how: ({ sessionId, epoch }: OwnedSession) =>
        other.call('releaseOwnership', { params: { sessionId }, body: { epoch } }),
    },
    {
      why: 'rotated',
      how: ({ sessionId, epoch }: OwnedSession) =>
        other.call('rotateSession', { params: { sessionId }, body: { epoch, reason: 'build' } }),
    },
  ])('by being $why is told, with who has it now', async ({ why, how }) => {
    for (const watched of [true, false]) {
      const client = watched ? ledger : new LedgerClient({ url: service.url, maxWatches: 0 });
      // Without a lease there is no renewal that could tell, only the wait.
      const mine = await client.start({ userId: newUser(), owner: cloudDev, ...(!watched && { lease }) });
      const { sessionId, epoch } = mine;
      const lost = lossOf(mine);
      await how(mine);
      const loss = await lost;
      expect(loss).toMatchObject({ why, sessionId, epoch });
      expect(loss.current?.sessionId).toBe((await nowOf(mine))?.sessionId);
      expect(mine.signal.aborted).toBe(true);
      expect(await failed(mine.run(() => 'late'))).toMatchObject({ why: 'lost', loss });
      expect(await lossOf(mine)).toBe(loss); // also who asks later hears of it
    }
  });

  test('is told within 100 ms, also while renewals are far away', async () => {
    const times: number[] = [];
    for (let turns = 0; turns < 21; turns++) {
      const mine = await start({ lease: { seconds: 600 } });
      const lost = lossOf(mine);
      const began = performance.now();
      const next = await other.start({ userId: mine.view.scope.userId, owner: cloudDebug });
      const { why, current } = await lost;
      times.push(performance.now() - began);
      expect([why, current?.sessionId]).toEqual(['superseded', next.sessionId]);
      await next.end({ reason: 'done' });
    }
    // The median, the start included: a busy machine may hold up any one of them.
    const median = times.sort((a, b) => a - b)[10];
    expect(median).toBeLessThan(100);
  });

  test('stops what is guarded, and no listener disturbs another', async () => {
    const mine = await start({ lease });
    mine.onLost(() => {
      throw new Error('a listener of the test');
    });
    const lost = lossOf(mine);
    const guarded = mine.run(
      ({ signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
    );
    await other.start({ userId: mine.view.scope.userId, owner: cloudDebug });
    expect(await guarded).toMatchObject({ name: 'NotHeld', why: 'lost' });
    await lost;
    expect(troubles).toContainEqual(new Error('a listener of the test'));
  });

  test('is found out by an own command, too', async () => {
    const client = new LedgerClient({ url: service.url, maxWatches: 0 });
    const mine = await client.start({ userId: newUser(), owner: cloudDev });
    const next = await other.start({ userId: mine.view.scope.userId, owner: cloudDebug });
    const lost = lossOf(mine);
    expect(await failed(mine.changeAttributes({ late: true }))).toMatchObject({ code: 'stale-session' });
    expect(await lost).toMatchObject({ why: 'superseded', current: { sessionId: next.sessionId } });
  });

  test('is what remains of a release whose answer never comes', async () => {
    const client = new LedgerClient({ url: `http://${proxy.address}`, deadlineMs: 300, attemptMs: 150 });
    const mine = await client.start({ userId: newUser(), owner: cloudDev, lease: { seconds: 60 } });
    const lost = lossOf(mine);
    proxy.swallowReplies();
    expect(await failed(mine.release())).toMatchObject({ outcomeUnknown: true });
    proxy.heal();
    expect((await lost).why).toBe('unknown-outcome');
  });
});

describe('the clock of a lease', () => {
  test('runs out while the ledger is away, whatever the wall clock says', async () => {
    const client = new LedgerClient({ url: `http://${proxy.address}` });
    const session = await client.start({
      userId: newUser(),
      owner: cloudDev,
      lease: { seconds: 2, graceSeconds: 60 },
    });
    const guarded = session.run(
      ({ signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
    );
    Date.now = () => 0;
    proxy.cut();
    const began = performance.now();
    while (await session.run(() => true).catch(() => false)) await pause(5);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await guarded).toMatchObject({ why: 'lease-over' });
    expect(session.state).toBe('held'); // until the ledger says so, it may still be saved
    const loss = lossOf(session);
    await pause(1_500);
    proxy.heal();
    expect((await loss).why).toBe('lapsed');
    client.close();
  });

  test.each([
    {
      what: 'a page',
      answer: () => new Response('<h1>Welcome</h1>', { headers: { 'content-type': 'text/html' } }),
    },
    { what: 'half a body', answer: () => new Response('{"results":[{"outcome":', { headers: json }) },
    { what: 'somebody else’s renewal', answer: () => Response.json({ results: [{ outcome: 'renewed' }] }) },
    { what: 'nothing in time', answer: (signal: AbortSignal) => never(signal) },
  ])('is not started anew by $what in place of a renewal', async ({ answer }) => {
    let isBad = true;
    const client = new LedgerClient({
      url: service.url,
      maxWatches: 0,
      fetch: async (input, init) =>
        isBad && String(input).endsWith('/v1/leases/renew')
          ? answer(init?.signal as AbortSignal)
          : fetch(input, init),
    });
    const session = await client.start({ userId: newUser(), owner: cloudDev, lease: { seconds: 1 } });
    await until(() => session.leftMs <= 0);
    expect(await failed(session.run(() => 'too late'))).toMatchObject({ why: 'lease-over' });
    await until(async () => (await nowOf(session))?.status === 'released');
    const lost = lossOf(session);
    isBad = false;
    expect((await lost).why).toBe('lapsed');
    client.close();
  });

  test('counts from before the request was sent', async () => {
    proxy.delay(400);
    const client = new LedgerClient({ url: `http://${proxy.address}`, maxWatches: 0 });
    const session = await client.start({ userId: newUser(), owner: cloudDev, lease: { seconds: 1 } });
    expect(session.leftMs).toBeLessThan(600);
    proxy.delay(0);
    client.close();
  });
});

test('all are released within one deadline, however many they are and whatever they wait for', async () => {
  const hangs: typeof fetch = (url, init) =>
    /\/(attributes|release)$/.test(String(url)) ? never(init?.signal as AbortSignal) : fetch(url, init);
  const client = new LedgerClient({ url: service.url, maxWatches: 0, gather: false, fetch: hangs });
  const starts = Array.from({ length: 250 }, () => client.start({ userId: newUser(), owner: cloudDev }));
  const [first] = await Promise.all(starts);
  const changing = first?.changeAttributes({ a: 1 }, { deadlineMs: 8_000 }).catch((error) => error);
  const began = performance.now();
  await client.releaseAll({ deadlineMs: 1_000 });
  expect(performance.now() - began).toBeLessThan(2_500);
  client.close();
  await changing;
}, 30_000);
