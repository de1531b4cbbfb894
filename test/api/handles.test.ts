import { type DescribedAsk, describedBy } from '../support/described.js';
import { startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDebug,
  cloudDev,
  newUser,
  type ProblemBody,
  refusal,
} from '../support/sessions.js';

let ask: DescribedAsk;
beforeAll(async () => {
  ask = await describedBy((await startService()).url);
});

let values = 0;
const newValue = () => `secret-${++values} "{}\\ 🚲`;
const transport = (value: string) => ({ kind: 'mcp-transport', value });
const agent = (value: string) => ({ kind: 'agent', value });
const toScope = (value: string) => ({ ...transport(value), binds: 'scope' });
const toSession = (value: string) => ({ ...agent(value), binds: 'session' });

const start = (userId: string, more: object = {}) =>
  ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, ...more } });
const to = (sessionId: string, action: string, body: object) =>
  ask<CommandBody>(`/v1/sessions/${sessionId}/${action}`, { body });
const resolve = (candidates: object[], more: object = {}) =>
  ask<{ session: { sessionId: string }; unknown: number[] } & ProblemBody>('/v1/resolve', {
    body: { candidates, ...more },
  });
const problemOf = async (asked: Promise<{ status: number; body: object }>) => {
  const { status, type } = refusal((await asked) as Parameters<typeof refusal>[0]);
  return `${status} ${type.slice('/problems/'.length)}`;
};

test('a session is found by the names that it was started, joined, rotated and later bound with', async () => {
  const userId = newUser();
  const [first, second, third, later] = [newValue(), newValue(), newValue(), newValue()];
  const handles = [toScope(first)];
  const { sessionId } = (await start(userId, { handles })).body.session;
  await start(userId, { onConflict: 'join', handles: [toScope(second)], owner: cloudDebug });
  const rotated = await to(sessionId, 'rotate', {
    epoch: 1,
    reason: 'build',
    successorHandle: agent(third),
  });
  const current = rotated.body.session;
  const bound = await to(current.sessionId, 'handles', { epoch: 2, bind: [toSession(later)] });
  expect(bound.body).toMatchObject({
    outcome: 'changed',
    session: { handles: [{ kind: 'agent' }, { kind: 'agent' }] },
  });
  for (const one of [transport(first), transport(second), agent(third), agent(later)]) {
    const { status, body } = await resolve([one]);
    expect([status, body.session.sessionId]).toEqual([200, current.sessionId]);
  }
  const all = [transport(first), agent(third), { sessionId: current.sessionId, epoch: 2 }];
  expect((await resolve(all)).body).toMatchObject({ session: { sessionId: current.sessionId }, unknown: [] });
});

test('a name that was unbound means nobody any more', async () => {
  const value = newValue();
  const { sessionId } = (await start(newUser(), { handles: [toScope(value)] })).body.session;
  const unbound = await to(sessionId, 'handles', { epoch: 1, unbind: [transport(value)] });
  expect(unbound.body.outcome).toBe('changed');
  expect(await problemOf(resolve([transport(value)]))).toBe('404 unknown-handle');
  const again = await to(sessionId, 'handles', { epoch: 1, unbind: [transport(value)] });
  expect(again.body.outcome).toBe('unchanged');
});

test('a taken name is refused with its kind, and nothing of what is not one’s own', async () => {
  const value = newValue();
  await start(newUser(), { handles: [toScope(value)], attributes: { project: 'hidden' } });
  const { status, body, text } = await ask<ProblemBody & { handle: string }>('/v1/sessions', {
    body: { userId: newUser(), owner: cloudDev, handles: [toScope(value)] },
  });
  expect([status, body.type, body.handle]).toEqual([409, '/problems/handle-taken', 'mcp-transport']);
  expect(text).not.toContain('hidden');
  expect(text).not.toContain('secret');
});

test('the same value under another kind is another name', async () => {
  const value = newValue();
  await start(newUser(), { handles: [toScope(value)] });
  expect((await start(newUser(), { handles: [{ ...agent(value), binds: 'scope' }] })).status).toBe(201);
});

test('candidates that disagree are a mismatch, unless the first one overrides', async () => {
  const [one, other] = [newValue(), newValue()];
  const mine = (await start(newUser(), { handles: [toScope(one)] })).body.session;
  await start(newUser(), { handles: [toScope(other)] });
  const both = [transport(one), transport(other)];
  const { body } = await resolve(both);
  expect(body).toMatchObject({ type: '/problems/session-mismatch', candidate: 1 });
  const overridden = await resolve(both, { override: true });
  expect(overridden.body.session.sessionId).toBe(mine.sessionId);
});

test('a name nobody has bound yet is passed over, and said so', async () => {
  const { sessionId } = (await start(newUser())).body.session;
  const { body } = await resolve([transport(newValue()), { sessionId, epoch: 1 }]);
  expect(body).toMatchObject({ session: { sessionId }, unknown: [0] });
});

test('the provider’s name of a session that is over is refused with the current one', async () => {
  const userId = newUser();
  const value = newValue();
  await start(userId, { handles: [toSession(value)] });
  const { sessionId } = (await start(userId)).body.session;
  const { status, body } = await resolve([agent(value)]);
  expect([status, body.type, body.current?.sessionId]).toEqual([409, '/problems/stale-session', sessionId]);
  await to(sessionId, 'end', { epoch: 2, origin: cloudDev, reason: 'done' });
  expect(await problemOf(resolve([agent(value)]))).toBe('409 session-ended');
});

test('references are held to their epoch', async () => {
  const { sessionId } = (await start(newUser())).body.session;
  await to(sessionId, 'release', { epoch: 1 });
  expect(await problemOf(resolve([{ sessionId, epoch: 1 }]))).toBe('409 stale-epoch');
  expect(await problemOf(resolve([{ sessionId, epoch: 9 }]))).toBe('409 future-epoch');
  const unknown = `${sessionId.slice(0, -4)}ffff`;
  expect(await problemOf(resolve([{ sessionId: unknown, epoch: 1 }]))).toBe('404 unknown-session');
});

const long = 'x'.repeat(1_025);
const bad: [string, object, string][] = [
  ['a value too long', toScope(long), 'body.handles.0.value'],
  ['an empty value', toScope(''), 'body.handles.0.value'],
  ['a value with a control character', toScope('a\u0007'), 'body.handles.0.value'],
  ['a value with half a surrogate pair', toScope('\ud800'), 'body.handles.0.value'],
  ['a kind too long', { ...toScope('v'), kind: 'k'.repeat(65) }, 'body.handles.0.kind'],
  ['a kind with spaces', { ...toScope('v'), kind: 'mcp transport' }, 'body.handles.0.kind'],
  ['no word on what it binds', transport('v'), 'body.handles.0.binds is missing'],
  ['another word', { ...transport('v'), binds: 'user' }, 'scope, session'],
  ['a field that is not known', { ...toScope('v'), ttl: 1 }, 'body.handles.0.ttl'],
];
test.each(bad)('%s is refused', async (_, handle, detail) => {
  const { status, body } = await ask<ProblemBody>('/v1/sessions', {
    body: { userId: newUser(), owner: cloudDev, handles: [handle] },
  });
  expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
  expect(body.detail).toContain(detail);
});

test('the longest value and kind are taken', async () => {
  const handle = { kind: 'k'.repeat(64), value: '🚲'.repeat(1_024), binds: 'scope' };
  expect((await start(newUser(), { handles: [handle] })).status).toBe(201);
});

test('a handle stands once in a request, and at most 8 do', async () => {
  const twice = [toScope('v'), { ...toSession('v'), kind: 'mcp-transport' }];
  const many = Array.from({ length: 9 }, () => toScope(newValue()));
  for (const handles of [twice, many]) {
    expect(await problemOf(start(newUser(), { handles }))).toBe('400 invalid-request');
  }
  const { sessionId } = (await start(newUser())).body.session;
  const both = { epoch: 1, bind: [toScope('w')], unbind: [transport('w')] };
  expect(await problemOf(to(sessionId, 'handles', both))).toBe('400 invalid-request');
  const same = { epoch: 1, reason: 'build', successorHandle: transport('w'), handles: [toScope('w')] };
  expect(await problemOf(to(sessionId, 'rotate', same))).toBe('400 invalid-request');
});

test.each([
  ['no candidates', { candidates: [] }],
  ['17 of them', { candidates: Array.from({ length: 17 }, () => transport('v')) }],
  ['one that is neither', { candidates: [{ kind: 'k' }] }],
  ['one that is both', { candidates: [{ ...transport('v'), sessionId: 's', epoch: 1 }] }],
  ['a reference without epoch', { candidates: [{ sessionId: '01920000-0000-7003-8000-000000000000' }] }],
  ['an override that is no truth value', { candidates: [transport('v')], override: 1 }],
])('resolving %s is refused', async (_, body) => {
  expect(await problemOf(ask('/v1/resolve', { body }))).toBe('400 invalid-request');
});
