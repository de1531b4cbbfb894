import { setTimeout as pause } from 'node:timers/promises';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDebug,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
} from '../support/sessions.js';

let ask: DescribedAsk;
beforeAll(async () => {
  ask = await describedBy((await startService()).url);
});

const minute = { lease: { seconds: 60 } };
const start = (more: object = {}, userId = newUser()) =>
  ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, ...more } });
const started = async (more: object = {}, userId?: string) => (await start(more, userId)).body.session;
const to = <Body = CommandBody>(sessionId: string, action: string, body: object) =>
  ask<Body>(`/v1/sessions/${sessionId}/${action}`, { body });
const current = (userId: string) => ask<CommandBody['session']>(`/v1/current?userId=${userId}`);
const nobody = '01920000-0000-7003-8000-000000000000';

interface RenewedBody {
  outcome: string;
  sessionId: string;
  until: string;
}
interface RenewedMany {
  results: (RenewedBody | { sessionId: string; problem: ProblemBody })[];
}
const renew = (sessionId: string, epoch: number) =>
  to<RenewedBody & ProblemBody>(sessionId, 'renew', { epoch });
const renewMany = (body: unknown) => ask<RenewedMany & ProblemBody>('/v1/leases/renew', { body });
const toldOf = ({ results }: RenewedMany) =>
  results.map((result) => ('problem' in result ? result.problem.type : result.outcome));

/** A session in every state that cannot be renewed, and what its renewal is refused with. */
async function unrenewable(): Promise<
  { sessionId: string; epoch: number; code: string; current?: string }[]
> {
  const user = newUser();
  const superseded = await started(minute, user);
  const next = await started({ owner: cloudDebug }, user);
  const [ended, bare, released, ending] = [
    await started(minute),
    await started(),
    await started(minute),
    await started(minute),
  ];
  await to(ended.sessionId, 'end', { epoch: 1, origin: cloudDev, reason: 'done' });
  await to(released.sessionId, 'release', { epoch: 1 });
  await to(ending.sessionId, 'end', { epoch: 1, origin: cloudDev, reason: 'done', drainSeconds: 60 });
  const claimed = await started(minute);
  await to(claimed.sessionId, 'claim', { epoch: 1, owner: cloudDebug, force: true });
  const own = (session: { sessionId: string }, code: string) => ({
    sessionId: session.sessionId,
    epoch: 1,
    code,
    current: session.sessionId,
  });
  return [
    { sessionId: nobody, epoch: 1, code: 'unknown-session' },
    { sessionId: nobody.replace('7003', '7fff'), epoch: 1, code: 'unknown-session' },
    { sessionId: superseded.sessionId, epoch: 1, code: 'stale-session', current: next.sessionId },
    { sessionId: ended.sessionId, epoch: 1, code: 'session-ended' },
    own(bare, 'no-lease'),
    own(released, 'stale-epoch'),
    own(ending, 'session-ending'),
    own(claimed, 'stale-epoch'),
    { ...own(bare, 'future-epoch'), sessionId: claimed.sessionId, epoch: 9, current: claimed.sessionId },
  ];
}

describe('renewing one lease', () => {
  test('says until when, and is no event', async () => {
    const { sessionId, scope } = await started(minute);
    const began = Date.now();
    const { status, body } = await renew(sessionId, 1);
    expect([status, body.outcome, body.sessionId]).toEqual([200, 'renewed', sessionId]);
    const seconds = (Date.parse(body.until) - began) / 1_000;
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(65);
    const { body: history } = await ask<EventsBody>(`/v1/events?userId=${scope.userId}`);
    expect(history.events).toHaveLength(1);
  });

  test('that cannot be renewed says why, and which session is current', async () => {
    for (const { sessionId, epoch, code, current } of await unrenewable()) {
      const { status, body } = await renew(sessionId, epoch);
      expect([status, body.type, body.current?.sessionId]).toEqual([
        code === 'unknown-session' ? 404 : 409,
        `/problems/${code}`,
        current,
      ]);
    }
  });
});

describe('renewing many leases', () => {
  test('answers each in the order of the request; what is wrong with one is no matter to the others', async () => {
    const bad = await unrenewable();
    const good = await Promise.all(bad.map(() => started(minute)));
    const asked = bad.flatMap(({ sessionId, epoch }, index) => [
      { sessionId: (good[index] as { sessionId: string }).sessionId, epoch: 1 },
      { sessionId, epoch },
    ]);
    const named = asked.filter(
      (one, at) => asked.findIndex(({ sessionId }) => sessionId === one.sessionId) === at,
    );
    const { status, body } = await renewMany(named);
    expect(status).toBe(200);
    expect(body.results.map(({ sessionId }) => sessionId)).toEqual(named.map(({ sessionId }) => sessionId));
    const codes = new Map(bad.toReversed().map(({ sessionId, code }) => [sessionId, `/problems/${code}`]));
    expect(toldOf(body)).toEqual(named.map(({ sessionId }) => codes.get(sessionId) ?? 'renewed'));
  });

  test('takes a thousand, also with epochs of sixteen digits', async () => {
    const sessions: string[] = [];
    for (let round = 0; round < 10; round++) {
      const batch = await Promise.all(Array.from({ length: 100 }, () => started(minute)));
      sessions.push(...batch.map(({ sessionId }) => sessionId));
    }
    const { status, body } = await renewMany(sessions.map((sessionId) => ({ sessionId, epoch: 1 })));
    expect([status, new Set(toldOf(body))]).toEqual([200, new Set(['renewed'])]);
    const epoch = Number.MAX_SAFE_INTEGER;
    const future = await renewMany(sessions.map((sessionId) => ({ sessionId, epoch })));
    expect([future.status, new Set(toldOf(future.body))]).toEqual([200, new Set(['/problems/future-epoch'])]);
  });

  test.each([
    { what: 'none', body: [] },
    { what: '1,001', body: Array.from({ length: 1_001 }, (_, epoch) => ({ sessionId: idOf(epoch), epoch })) },
    { what: 'one twice', body: [0, 0].map((epoch) => ({ sessionId: nobody, epoch })) },
    { what: 'one twice under two epochs', body: [1, 2].map((epoch) => ({ sessionId: nobody, epoch })) },
    { what: 'one without epoch', body: [{ sessionId: nobody }] },
    { what: 'one that is no id', body: [{ sessionId: 'nobody', epoch: 1 }] },
    { what: 'what is no list', body: { sessionId: nobody, epoch: 1 } },
  ])('refuses $what', async ({ body }) => {
    expect(await renewMany(body)).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
  });
});

function idOf(number: number): string {
  return nobody.slice(0, -4) + number.toString(16).padStart(4, '0');
}

describe('the terms of a lease', () => {
  const bad = [
    { seconds: 0 },
    { seconds: -1 },
    { seconds: 1.5 },
    { seconds: 315_360_000 },
    { seconds: '60' },
    { seconds: null },
    {},
    { seconds: 60, graceSeconds: -1 },
    { seconds: 60, graceSeconds: 315_360_000 },
    { seconds: 60, renewOn: 'sometimes' },
    { seconds: 60, onLapse: 'explode' },
    { seconds: 60, more: true },
  ];

  test('that cannot be kept are refused, at a start and at a claim', async () => {
    const { sessionId } = await started();
    for (const lease of bad) {
      const starts = await start({ lease });
      const claims = await to<ProblemBody>(sessionId, 'claim', { epoch: 1, owner: cloudDev, lease });
      for (const { status, body } of [starts, claims]) {
        expect([lease, status, (body as never as ProblemBody).type]).toEqual([
          lease,
          400,
          '/problems/invalid-request',
        ]);
      }
    }
  });

  test('are shown in full, with what was left out', async () => {
    expect((await started({ lease: { seconds: 2_592_000 } })).lease).toEqual({
      seconds: 2_592_000,
      graceSeconds: 60,
      renewOn: 'heartbeat',
      onLapse: 'release',
    });
  });

  test('take their course: released after the lease, gone after the grace', async () => {
    const { sessionId, scope } = await started({ lease: { seconds: 1, graceSeconds: 2 } });
    await pause(1_900);
    expect((await current(scope.userId)).body).toMatchObject({ status: 'released', reservedFor: cloudDev });
    expect((await renew(sessionId, 1)).body.type).toBe('/problems/stale-epoch');
    await pause(2_600);
    const { status, body } = await ask<ProblemBody>(`/v1/current?userId=${scope.userId}`);
    expect([status, body.last]).toMatchObject([404, { sessionId, endCause: 'expired', epoch: 3 }]);
  });
});

describe('touching a session', () => {
  test('keeps alive what use keeps alive', async () => {
    const { sessionId, scope } = await started({ lease: { seconds: 1, renewOn: 'use', onLapse: 'end' } });
    for (let times = 0; times < 3; times++) {
      await pause(500);
      expect((await to(sessionId, 'touch', {})).body).toMatchObject({
        outcome: 'renewed',
        session: { epoch: 1 },
      });
    }
    await start({ onConflict: 'join' }, scope.userId);
    await pause(2_000);
    expect((await current(scope.userId)).status).toBe(404);
  });

  test('does nothing otherwise, and says so', async () => {
    const { sessionId } = await started(minute);
    expect((await to(sessionId, 'touch', {})).body.outcome).toBe('unchanged');
    expect((await to<ProblemBody>(nobody, 'touch', {})).body.type).toBe('/problems/unknown-session');
  });
});

describe('draining', () => {
  const stop = { epoch: 1, origin: cloudDev, reason: 'moving' };

  test('ends when its owner confirms it', async () => {
    const { sessionId } = await started(minute);
    const drained = await to(sessionId, 'end', { ...stop, drainSeconds: 60 });
    expect(drained.body).toMatchObject({ outcome: 'ending', session: { status: 'ending', epoch: 1 } });
    const again = await to(sessionId, 'end', { ...stop, drainSeconds: 5 });
    expect(again.body).toMatchObject({ outcome: 'unchanged', session: drained.body.session });
    const refused = await to<ProblemBody>(sessionId, 'release', { epoch: 1 });
    expect(refused.headers.get('retry-after')).toMatch(/^(60|[45]\d)$/); // of the drain's minute
    expect((await to(sessionId, 'end', stop)).body).toMatchObject({
      outcome: 'ended',
      session: { epoch: 2 },
    });
    expect((await to(sessionId, 'end', stop)).body.outcome).toBe('already-ended');
  });

  test('ends when its time is over', async () => {
    const { sessionId, scope } = await started();
    await to(sessionId, 'end', { ...stop, drainSeconds: 1 });
    await pause(2_000);
    const { body } = await ask<ProblemBody>(`/v1/current?userId=${scope.userId}`);
    expect(body.last).toMatchObject({ sessionId, endCause: 'ended', endReason: 'moving', endedBy: cloudDev });
  });

  test.each([0, -1, 1.5, 315_360_000, '5'])('does not take %p seconds', async (drainSeconds) => {
    const { status, body } = await to<ProblemBody>(nobody, 'end', { ...stop, drainSeconds });
    expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
  });
});

describe('changing attributes', () => {
  const patch = <Body = CommandBody>(sessionId: string, attributes: unknown, more: object = {}) =>
    ask<Body>(`/v1/sessions/${sessionId}/attributes`, {
      method: 'PATCH',
      body: { epoch: 1, attributes, ...more },
    });

  test('merges: nested members stay, null removes, lists are replaced', async () => {
    const attributes = { project: { name: 'site', tags: ['a', 'b'] }, model: 'one', gone: 1 };
    const { sessionId, scope } = await started({ attributes });
    const change = { project: { tags: ['c'], color: 'red' }, model: 'two', gone: null, never: null };
    const merged = { project: { name: 'site', tags: ['c'], color: 'red' }, model: 'two' };
    const changed = await patch(sessionId, change);
    expect(changed.body).toMatchObject({ outcome: 'changed', session: { epoch: 1, revision: 2 } });
    expect(changed.body.session.attributes).toEqual(merged);
    expect((await current(scope.userId)).body.attributes).toEqual(merged);
    expect((await patch(sessionId, change)).body.outcome).toBe('unchanged');
    expect((await patch(sessionId, { project: null, model: null })).body.session.attributes).toEqual({});
  });

  test('many at once are all kept', async () => {
    const { sessionId, scope } = await started({ attributes: { zero: true } });
    const names = Array.from({ length: 40 }, (_, number) => `name-${number}`);
    await Promise.all(names.map((name) => patch(sessionId, { [name]: true })));
    const { attributes } = (await current(scope.userId)).body;
    expect(Object.keys(attributes).sort()).toEqual(['zero', ...names].sort());
  });

  test('that would be too large are refused, and stay as they are', async () => {
    const { sessionId, scope } = await started({ attributes: { first: 'x'.repeat(2_500) } });
    const large = await patch<ProblemBody>(sessionId, { second: 'y'.repeat(2_500) });
    expect([large.status, large.body.type]).toEqual([400, '/problems/invalid-attributes']);
    expect(large.body.detail).toContain('4096');
    expect(Object.keys((await current(scope.userId)).body.attributes)).toEqual(['first']);
    const instead = await patch(sessionId, { first: null, second: 'y'.repeat(2_500) });
    expect(instead.body.outcome).toBe('changed');
  });

  test('are for the owner under its epoch', async () => {
    const { sessionId } = await started();
    const foreign = await patch<ProblemBody>(sessionId, { a: 1 }, { owner: cloudDebug });
    expect(foreign.body.type).toBe('/problems/not-owner');
    await to(sessionId, 'claim', { epoch: 1, owner: cloudDebug, force: true });
    expect((await patch<ProblemBody>(sessionId, { a: 1 })).body.type).toBe('/problems/stale-epoch');
  });

  test.each([[[]], ['text'], [null], [{ deep: nested(9) }]])('cannot be %j', async (attributes) => {
    const { sessionId } = await started();
    expect((await patch(sessionId, attributes)).status).toBe(400);
  });
});

function nested(levels: number): object {
  return levels === 0 ? {} : { inner: nested(levels - 1) };
}

test('claiming what is its own, and releasing twice, change nothing', async () => {
  const { sessionId } = await started(minute);
  const claim = await to(sessionId, 'claim', { epoch: 1, owner: cloudDev });
  expect([claim.status, claim.body.outcome, claim.body.session.epoch]).toEqual([200, 'unchanged', 1]);
  const releases = [
    await to(sessionId, 'release', { epoch: 1, owner: cloudDev }),
    await to(sessionId, 'release', { epoch: 1, owner: cloudDev }),
  ];
  expect(releases.map(({ body }) => [body.outcome, body.session.epoch])).toEqual([
    ['released', 2],
    ['unchanged', 2],
  ]);
});

test('an old owner who waits hears within 100 ms that it was superseded', async () => {
  const delays: number[] = [];
  for (let round = 0; round < 9; round++) {
    const { scope, revision } = await started(minute);
    const waiting = ask<CommandBody['session']>(
      `/v1/current?userId=${scope.userId}&wait=20&after=${revision}`,
    ).then(({ body }) => ({ body, at: performance.now() }));
    await pause(50);
    const next = await started({ owner: cloudDebug }, scope.userId);
    const answered = performance.now();
    const { body, at } = await waiting;
    expect(body).toMatchObject({ sessionId: next.sessionId, owner: cloudDebug });
    delays.push(at - answered);
  }
  delays.sort((one, other) => one - other);
  expect(delays[4]).toBeLessThan(100); // the middle one: the machine may be busy
});
