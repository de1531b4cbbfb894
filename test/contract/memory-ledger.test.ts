import { jest } from '@jest/globals';
import { NoAnswer } from '#client';
import { MemoryLedger } from '#memory-ledger';
import { cloudDev } from '../support/sessions.js';

/** What only the ledger in memory can do: what the service does as well is in the contract. */

const typesOf = async (ledger: ReturnType<MemoryLedger['client']>, userId: string) => {
  const seen: [string, string][] = [];
  for await (const { type, time } of ledger.history({ userId })) seen.push([type.split('.')[1] ?? '', time]);
  return seen;
};

test('what a long time brings about happens at its own time and in order, in all scopes', async () => {
  const memory = new MemoryLedger({ partitions: 1 });
  await using ledger = memory.client();
  const start = async (userId: string, lease: { seconds: number; graceSeconds: number }) =>
    (await ledger.call('startSession', { body: { userId, owner: cloudDev, lease } })).session;
  const slow = await start('slow', { seconds: 100, graceSeconds: 10 });
  const fast = await start('fast', { seconds: 10, graceSeconds: 60 });
  memory.advance(3_600);
  const after = (session: { startedAt: string }, seconds: number) =>
    new Date(Date.parse(session.startedAt) + seconds * 1_000).toISOString();
  const feed = await ledger.call('feed', { query: { partition: 0 } });
  expect(feed.events.map(({ subject, type, time }) => [subject, type.split('.')[1], time]).slice(2)).toEqual([
    ['default/fast/default', 'OwnershipLapsed', after(fast, 10)],
    ['default/fast/default', 'SessionExpired', after(fast, 70)],
    ['default/slow/default', 'OwnershipLapsed', after(slow, 100)],
    ['default/slow/default', 'SessionExpired', after(slow, 110)],
  ]);
});

test('whoever waits hears at once what time has brought about', async () => {
  const memory = new MemoryLedger();
  await using ledger = memory.client();
  const body = { userId: 'ada', owner: cloudDev, lease: { seconds: 600 } };
  await ledger.call('startSession', { body });
  const waiting = ledger.call('currentSession', { query: { userId: 'ada', wait: 60, after: 1 } });
  memory.advance(599);
  memory.advance(1);
  expect(await waiting).toMatchObject({ status: 'released' });
});

test('time that passes by itself counts, too', async () => {
  await using ledger = new MemoryLedger().client();
  const body = { userId: 'ada', owner: cloudDev, lease: { seconds: 1, graceSeconds: 0 } };
  await ledger.call('startSession', { body });
  const waiting = ledger.call('currentSession', { query: { userId: 'ada', wait: 60, after: 1 } });
  await expect(waiting).rejects.toMatchObject({ code: 'no-current-session' });
  const { session } = await ledger.call('startSession', { body: { ...body, userId: 'eve' } });
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 2_000);
  const found = await ledger.session(session.sessionId).finally(() => clock.mockRestore());
  expect(found).toMatchObject({ endCause: 'expired' });
  const [[, startedAt], [, lapsedAt]] = (await typesOf(ledger, 'ada')) as [
    [string, string],
    [string, string],
  ];
  expect(Date.parse(lapsedAt) - Date.parse(startedAt)).toBe(1_000);
});

test.each([
  ['its owner renews', 'heartbeat', 'renewLease', { epoch: 1 }],
  ['somebody uses', 'use', 'touchSession', {}],
] as const)('a lease that %s begins anew', async (_, renewOn, id, body) => {
  const memory = new MemoryLedger();
  await using ledger = memory.client();
  const lease = { seconds: 60, renewOn };
  const { session } = await ledger.call('startSession', { body: { userId: 'ada', owner: cloudDev, lease } });
  const params = { sessionId: session.sessionId };
  memory.advance(40);
  await ledger.call(id, { params, body: body as never });
  memory.advance(59);
  expect(await ledger.session(session.sessionId)).toMatchObject({ status: 'active' });
  memory.advance(1);
  expect(await ledger.session(session.sessionId)).toMatchObject({ status: 'released' });
});

test('a drain that is over ends the session', async () => {
  const memory = new MemoryLedger();
  await using ledger = memory.client();
  const { session } = await ledger.call('startSession', { body: { userId: 'ada', owner: cloudDev } });
  await ledger.end(session.sessionId, { epoch: 1, origin: cloudDev, reason: 'done', drainSeconds: 30 });
  memory.advance(30);
  expect(await ledger.session(session.sessionId)).toMatchObject({ status: 'ended', endReason: 'done' });
});

test('while it is down, what is open breaks and nothing begins; then it has forgotten nothing', async () => {
  const memory = new MemoryLedger();
  await using ledger = memory.client({ deadlineMs: 100 });
  const { session } = await ledger.call('startSession', { body: { userId: 'ada', owner: cloudDev } });
  const query = { userId: 'ada', wait: 60, after: 1 };
  const waiting = ledger.call('currentSession', { query });
  memory.isDown = true;
  await expect(waiting).rejects.toBeInstanceOf(NoAnswer);
  await expect(ledger.current({ userId: 'ada' })).rejects.toBeInstanceOf(NoAnswer);
  memory.isDown = false;
  expect(await ledger.current({ userId: 'ada' })).toMatchObject({ sessionId: session.sessionId });
});

test('a position that there is not yet is refused at once, and known as soon as it is there', async () => {
  const memory = new MemoryLedger({ partitions: 1 });
  await using ledger = memory.client();
  const query = { userId: 'ada', atLeast: '0:1' };
  await expect(ledger.call('sessions', { query })).rejects.toMatchObject({ code: 'invalid-request' });
  await ledger.call('startSession', { body: { userId: 'ada', owner: cloudDev } });
  expect((await ledger.call('sessions', { query })).sessions).toHaveLength(1);
});

test.each(['/v1/stream?userId=ada', '/v1/feed/stream'])(
  'what comes while a reader takes its time with what came before, comes next: %s',
  async (path) => {
    const memory = new MemoryLedger();
    await using ledger = memory.client();
    const gone = new AbortController();
    const { body } = await memory.fetch(`http://memory.ledger${path}`, { signal: gone.signal });
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toMatch(/^retry: 1000\nid: /);
    const began = performance.now();
    // One that the stream holds ready, and those that come while it does.
    for (let starts = 0; starts < 3; starts++) {
      await ledger.call('startSession', { body: { userId: 'ada', owner: cloudDev } });
      await new Promise(setImmediate);
    }
    for (const type of ['Started', 'Superseded', 'Started', 'Superseded', 'Started']) {
      expect(await next()).toContain(`Session${type}`);
    }
    expect(performance.now() - began).toBeLessThan(5_000);
    gone.abort();
  },
);

test('its fetch is one like any other', async () => {
  const { fetch } = new MemoryLedger();
  const body = JSON.stringify({ userId: 'ada', owner: cloudDev });
  const headers = { 'content-type': 'application/json' };
  const request = new Request('http://memory.ledger/v1/sessions', { method: 'POST', headers, body });
  expect((await fetch(request)).status).toBe(201);
  expect((await fetch(new URL('http://memory.ledger/v1/current?userId=ada'))).status).toBe(200);
  const gone = new AbortController();
  const waiting = fetch('http://memory.ledger/v1/current?userId=ada&wait=60', {
    signal: gone.signal,
  });
  gone.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('what a request expects and nobody can give is refused as the service does', async () => {
  const memory = new MemoryLedger();
  const ask = (expect: string) => memory.fetch('http://memory.ledger/v1/stats', { headers: { expect } });
  const { status, headers } = await ask('foo');
  expect([status, headers.get('content-type')]).toEqual([417, 'application/problem+json']);
  expect((await ask('100-Continue')).status).toBe(200);
});

test('time goes forward, and a ledger has partitions', () => {
  expect(() => new MemoryLedger().advance(-1)).toThrow(RangeError);
  expect(() => new MemoryLedger().advance(Number.NaN)).toThrow(RangeError);
  for (const partitions of [0, 1.5, 4_097])
    expect(() => new MemoryLedger({ partitions })).toThrow(RangeError);
});
