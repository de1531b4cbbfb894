import { MemoryLedger } from '#memory-ledger';
import { bothLedgers, type Ledger, type Told, Transcript } from '../support/both-ledgers.js';
import { cloudDebug, cloudDev } from '../support/sessions.js';

/** Handles and answers of both ledgers: what is true of one has to be true of the other, word by word. */

let ledgers: Ledger[];
beforeAll(async () => {
  ledgers = await bothLedgers();
});

type Body = Record<string, unknown>;
const transport = (value: string) => ({ kind: 'mcp-transport', value });
const agent = (value: string) => ({ kind: 'agent', value });
const toScope = (value: string) => ({ ...transport(value), binds: 'scope' });
const toSession = (value: string) => ({ ...agent(value), binds: 'session' });
const start = (t: Transcript, userId: string, more: Body = {}, headers = {}) =>
  t.ask('startSession', { body: { userId, owner: cloudDev, ...more } as never, headers });
const to = (
  t: Transcript,
  id: 'changeHandles' | 'rotateSession' | 'endSession' | 'releaseOwnership' | 'reportInvalid',
  { body }: Told,
  more: Body,
) => {
  const { sessionId, epoch } = body.session;
  return t.ask(id, { params: { sessionId }, body: { epoch, ...more } as never });
};
const end = (t: Transcript, told: Told) => to(t, 'endSession', told, { origin: cloudDev, reason: 'done' });
const resolve = async (t: Transcript, candidate: object) => {
  const { body } = await t.ask('resolve', { body: { candidates: [candidate] } as never });
  return body.session?.sessionId ?? body.type;
};

const stories: Record<string, (t: Transcript, userId: string) => Promise<void>> = {
  'a transport whose user has no session is taken over by another user, or unbound': async (t, userId) => {
    const name = `${userId} t`;
    const first = await start(t, userId, { handles: [toScope(name)] });
    const other = `${userId} 2`;
    expect((await start(t, other, { handles: [toScope(name)] })).status).toBe(409);
    await end(t, first);
    const taker = await start(t, other, { handles: [toScope(name)] });
    expect(await resolve(t, transport(name))).toBe(taker.body.session.sessionId);
    expect((await start(t, userId, { handles: [toScope(name)] })).body.type).toBe('/problems/handle-taken');
    const again = await start(t, userId);
    await end(t, taker);
    const unbound = await to(t, 'changeHandles', again, { unbind: [transport(name)] });
    expect(unbound.body.outcome).toBe('changed');
    expect(await resolve(t, transport(name))).toBe('/problems/unknown-handle');
  },
  'a provider that keeps its id: the name moves on along the chain': async (t, userId) => {
    const name = agent(`${userId} a`);
    const first = await start(t, userId, { handles: [toSession(name.value)] });
    const rotation = { reason: 'resume', successorHandle: name };
    const second = await to(t, 'rotateSession', first, rotation);
    expect(second.body).toMatchObject({ outcome: 'rotated', session: { chainLength: 2 } });
    expect(await resolve(t, name)).toBe(second.body.session.sessionId);
    expect((await to(t, 'rotateSession', first, rotation)).body.outcome).toBe('already-rotated');
    const third = await to(t, 'rotateSession', second, rotation);
    expect(await resolve(t, name)).toBe(third.body.session.sessionId);
    const { partition, sequence } = third.body.position;
    const query = { userId, atLeast: `${partition}:${sequence}` };
    const { sessions } = (await t.ask('chain', { query })).body;
    const [{ hash }] = sessions[0].handles;
    expect(sessions.map((one: Body) => one.handles)).toEqual(Array(3).fill([{ kind: 'agent', hash }]));
    expect(sessions.map((one: Body) => one.successorHandle)).toEqual([undefined, hash, hash]);
    const { transitions } = (await t.ask('transitions', { query })).body;
    expect(transitions.map(({ source }: Body) => source)).toEqual(['rotated', 'rotated', 'started']);
    await t.ask('scopeEvents', { query: { userId } });
  },
  'a provider that keeps its id over an end and a supersession: it goes to the new session': async (
    t,
    userId,
  ) => {
    const name = agent(`${userId} a`);
    const asked = { handles: [toSession(name.value)] };
    const first = await start(t, userId, asked);
    await end(t, first);
    const key = { 'idempotency-key': `${userId} key` };
    const second = await start(t, userId, asked, key);
    expect([second.status, await resolve(t, name)]).toEqual([201, second.body.session.sessionId]);
    expect((await start(t, userId, asked, key)).body).toEqual(second.body);
    const third = await start(t, userId, { ...asked, owner: cloudDebug });
    expect([third.status, await resolve(t, name)]).toEqual([201, third.body.session.sessionId]);
    const { handles } = first.body.session;
    for (const { body } of [first, second, third]) {
      const { sessionId } = body.session;
      expect((await t.ask('session', { params: { sessionId } })).body.handles).toEqual(handles);
    }
    expect((await start(t, `${userId} 2`, asked)).body.type).toBe('/problems/handle-taken');
    const fourth = await start(t, userId);
    await to(t, 'changeHandles', fourth, { bind: [toSession(name.value)] });
    expect(await resolve(t, name)).toBe(fourth.body.session.sessionId);
    const refused = await start(t, userId, { handles: [{ ...name, binds: 'scope' }] });
    expect([refused.body.type, await resolve(t, name)]).toEqual([
      '/problems/handle-taken',
      fourth.body.session.sessionId,
    ]);
    await t.ask('scopeEvents', { query: { userId } });
  },
  'the name of a session that was reported invalid stays with it': async (t, userId) => {
    const name = agent(`${userId} a`);
    const first = await start(t, userId, { handles: [toSession(name.value)] });
    await to(t, 'reportInvalid', first, { certainty: 'definite', reason: 'context lost' });
    const again = await start(t, userId, { handles: [toSession(name.value)] });
    expect([again.body.type, again.body.handle]).toEqual(['/problems/handle-taken', 'agent']);
  },
  'erasing a user frees its names, of sessions, too, and what events say of them means nothing': async (
    t,
    userId,
  ) => {
    const names = [toScope(`${userId} t`), toSession(`${userId} a`)];
    const before = await start(t, userId, { handles: names });
    expect((await t.ask('eraseDetails', { query: { userId } })).body.outcome).toBe('erased');
    const { body } = await t.ask('currentSession', { query: { userId } });
    expect([body.sessionId, body.handles]).toEqual([before.body.session.sessionId, undefined]);
    for (const name of [transport(`${userId} t`), agent(`${userId} a`)]) {
      expect(await resolve(t, name)).toBe('/problems/unknown-handle');
    }
    expect((await t.ask('eraseDetails', { query: { userId } })).body.outcome).toBe('unchanged');
    expect((await start(t, `${userId} 2`, { handles: names })).status).toBe(201);
    await start(t, userId, { handles: [toSession(`${userId} b`)] });
    await t.ask('scopeEvents', { query: { userId } });
  },
  'a 33rd transport says which one went': async (t, userId) => {
    const first = await start(t, userId, { handles: [toScope(`${userId} first`)] });
    const begun = new Date().toISOString();
    for (let count = 0; count < 4; count++) {
      const eight = Array.from({ length: 8 }, (_, n) => toScope(`${userId} ${count} ${n}`));
      const { body } = await to(t, 'changeHandles', first, { bind: eight });
      if (count < 3) expect(body).not.toHaveProperty('dropped');
      else expect(body.dropped).toEqual([{ kind: 'mcp-transport', boundAt: expect.any(String) }]);
      if (count === 3) expect(body.dropped[0].boundAt <= begun).toBe(true);
    }
    expect(await resolve(t, transport(`${userId} first`))).toBe('/problems/unknown-handle');
    const joined = await start(t, userId, { onConflict: 'join', handles: [toScope(`${userId} last`)] });
    expect(joined.body.dropped).toHaveLength(1);
    // No event says so: an answer that is given again cannot.
    const key = { 'idempotency-key': `${userId} key` };
    const next = { handles: [toScope(`${userId} next`)] };
    const { dropped, ...told } = (await start(t, userId, next, key)).body;
    expect(dropped).toHaveLength(1);
    expect((await start(t, userId, next, key)).body).toEqual(told);
  },
  'a join says what it ignored': async (t, userId) => {
    const asked = {
      onConflict: 'join',
      lease: { seconds: 60 },
      attributes: { a: 1 },
      policy: { adviseAt: 2 },
      phase: 'starting',
    };
    const first = await start(t, userId, asked);
    expect(first.body).not.toHaveProperty('ignored');
    const joined = await start(t, userId, { ...asked, owner: cloudDebug });
    expect(joined.body).toMatchObject({
      outcome: 'joined',
      ignored: ['attributes', 'lease', 'phase', 'policy'],
    });
    expect((await start(t, userId, { onConflict: 'join' })).body).not.toHaveProperty('ignored');
    const current = await start(t, userId);
    await to(t, 'releaseOwnership', current, {});
    const key = { 'idempotency-key': `${userId} key` };
    const ignored = ['attributes', 'phase', 'policy'];
    const claimed = await start(t, userId, asked, key);
    expect(claimed.body).toMatchObject({ outcome: 'claimed', ignored, session: { lease: { seconds: 60 } } });
    expect((await start(t, userId, asked, key)).body).toEqual(claimed.body);
  },
  'an answer that is given again says what is current since': async (t, userId) => {
    const key = { 'idempotency-key': `${userId} key` };
    const first = await start(t, userId, {}, key);
    const again = async () => (await start(t, userId, {}, key)).body;
    expect(await again()).toEqual(first.body);
    const released = await to(t, 'releaseOwnership', first, {});
    expect(await again()).toEqual({ ...first.body, current: released.body.session });
    const second = await start(t, userId, { owner: cloudDebug, attributes: { of: 'the second' } });
    expect(await again()).toEqual({ ...first.body, current: second.body.session });
    await to(t, 'endSession', second, { origin: cloudDebug, reason: 'done' });
    expect(await again()).toEqual({ ...first.body, current: null });
  },
};

test('reports are taken back, about a scope or all, and never all by mistake', async () => {
  const told = await Promise.all(
    ledgers.map(async (ledger) => {
      const t = new Transcript(ledger, undefined, false);
      const [userId, other] = ['reports 1', 'reports 2'];
      const { sessionId } = (await start(t, userId)).body.session;
      const of = { consumer: 'gone', sessionId };
      await t.ask('report', {
        body: [
          { ...of, userId },
          { ...of, userId: other },
          { ...of, userId, consumer: 'here' },
        ],
      });
      const withdraw = (query: Body) => t.ask('withdrawReports', { query: query as never });
      const consumers = async () =>
        (await t.ask('stats', { query: { consumer: 'gone' } })).body.sync.consumers.map(
          ({ inSync, unknown }: Body) => [inSync, unknown],
        );
      expect((await withdraw({ consumer: 'gone', projectId: 'default' })).status).toBe(400);
      expect((await withdraw({ userId })).status).toBe(400);
      expect(await consumers()).toEqual([[1, 1]]);
      expect((await withdraw({ consumer: 'gone', userId: other, projectId: 'x' })).body).toEqual({
        withdrawn: 0,
      });
      expect((await withdraw({ consumer: 'gone', userId: other })).body).toEqual({ withdrawn: 1 });
      expect(await consumers()).toEqual([[1, 0]]);
      expect((await withdraw({ consumer: 'gone' })).body).toEqual({ withdrawn: 1 });
      expect(await consumers()).toEqual([]);
      return t.lines.filter((line) => !JSON.stringify(line).includes('/v1/stats'));
    }),
  );
  expect(told[1]).toEqual(told[0]);
});

test('in memory a report that is a day old does not count', async () => {
  const memory = new MemoryLedger();
  const ledger = memory.client();
  const userId = 'old reports';
  const { sessionId } = await ledger.start({ userId, owner: cloudDev });
  await ledger.call('report', { body: [{ consumer: 'old', userId, sessionId }] });
  const consumers = async () => (await ledger.call('stats', {})).sync.consumers;
  memory.advance(86_399);
  expect(await consumers()).toHaveLength(1);
  memory.advance(1);
  expect(await consumers()).toEqual([]);
  await ledger[Symbol.asyncDispose]();
});

test('whoever asks reads when a lease is over, which a renewal moves', async () => {
  const told = await Promise.all(
    ledgers.map(async (ledger) => {
      const t = new Transcript(ledger, undefined, false);
      const userId = 'reads leases';
      const read = (query: Body = {}, headers = {}) =>
        t.ask('currentSession', { query: { userId, include: 'lease', ...query } as never, headers });
      const lease = { seconds: 600 };
      const first = await start(t, userId, { lease });
      const { sessionId, startedAt } = first.body.session;
      const [before, plain] = [await read(), await t.ask('currentSession', { query: { userId } })];
      const { expiresAt, ...terms } = before.body.lease;
      expect(terms).toEqual(plain.body.lease);
      expect({ ...before.body, lease: terms }).toEqual(plain.body);
      const seconds = (Date.parse(expiresAt) - Date.parse(startedAt)) / 1_000;
      expect([seconds >= 600, seconds < 660]).toEqual([true, true]);
      const { body } = await t.ask('renewLease', { params: { sessionId }, body: { epoch: 1 } });
      expect((await read()).body.lease.expiresAt).toBe(body.until);
      expect((await read({ wait: 1, after: before.body.revision })).status).toBe(304);
      for (const query of [{ asOf: '2020-01-01T00:00:00Z' }, { include: 'all' }])
        expect((await read(query)).status).toBe(400);
      expect((await t.ask('currentSession', { query: { userId, all: true, include: 'lease' } })).status).toBe(
        400,
      );
      expect((await read({}, { 'if-none-match': '"1"' })).status).toBe(400);
      await to(t, 'releaseOwnership', first, {});
      expect((await read()).body.lease).toEqual(terms);
      await start(t, userId, { owner: cloudDebug });
      expect((await read()).body).not.toHaveProperty('lease');
      expect(
        (await t.ask('currentSession', { query: { userId: 'nobody here', include: 'lease' } })).status,
      ).toBe(404);
      return t.lines;
    }),
  );
  expect(told[1]).toEqual(told[0]);
});

test.each(Object.entries(stories))('%s', async (name, story) => {
  const told = await Promise.all(
    ledgers.map(async (ledger) => {
      const transcript = new Transcript(ledger);
      await story(transcript, name);
      return transcript.lines;
    }),
  );
  const [service, memory] = told;
  expect(service!.length).toBeGreaterThan(0);
  expect(memory).toEqual(service);
});
