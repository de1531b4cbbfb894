import { type DescribedAsk, describedBy } from '../support/described.js';
import { ask as askAddress } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
} from '../support/sessions.js';
import { within } from '../support/until.js';

const { becomes } = within(2_000);

let service: Service;
let ask: DescribedAsk;
beforeAll(async () => {
  service = await startService();
  ask = await describedBy(service.url);
});

const start = async (userId: string, more: object = {}) =>
  (await ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, ...more } })).body;
const rotate = async (sessionId: string, epoch: number) =>
  (await ask<CommandBody>(`/v1/sessions/${sessionId}/rotate`, { body: { epoch, reason: 'build' } })).body;
const metric = async (name: string) => {
  const { text } = await askAddress(`${service.url}/metrics`);
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
};

describe('the current session', () => {
  test('is one for each scope; ids may hold slashes, dots, spaces and any script', async () => {
    const userId = newUser();
    const projects = ['default', 'a/b', '..', 'a b+c%2F&=?#', 'проект', '🎈'.repeat(256)];
    for (const projectId of projects) await start(userId, { projectId });
    const found = projects.map(async (projectId) => {
      const { body } = await ask(`/v1/current?${new URLSearchParams({ userId, projectId })}`);
      return (body.scope as { projectId: string }).projectId;
    });
    expect(await Promise.all(found)).toEqual(projects);
    expect((await ask(`/v1/current?userId=${userId}`)).body.scope).toEqual({ userId, projectId: 'default' });
  });

  test('404 says which one was the last', async () => {
    const userId = newUser();
    const never = await ask<ProblemBody>(`/v1/current?userId=${userId}`);
    expect(never).toMatchObject({ status: 404, body: { type: '/problems/no-current-session' } });
    expect(never.body.last).toBeUndefined();
    const { session } = await start(userId, { attributes: { a: 1 } });
    await ask(`/v1/sessions/${session.sessionId}/end`, { body: { epoch: 1, origin: cloudDev, reason: 'r' } });
    const { body } = await ask<ProblemBody>(`/v1/current?userId=${userId}`);
    expect(body.last).toMatchObject({ sessionId: session.sessionId, status: 'ended', attributes: { a: 1 } });
  });

  test('has an ETag, and 304 for who has it', async () => {
    const userId = newUser();
    const { session } = await start(userId);
    const etag = (await ask(`/v1/current?userId=${userId}`)).headers.get('etag') ?? '';
    const ifNoneMatch = { headers: { 'if-none-match': etag } };
    expect(await ask(`/v1/current?userId=${userId}`, ifNoneMatch)).toMatchObject({ status: 304, text: '' });
    await rotate(session.sessionId, 1);
    const changed = await ask(`/v1/current?userId=${userId}`, ifNoneMatch);
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });
});

describe('waiting for a change', () => {
  test('is answered within 100 ms of it', async () => {
    const userId = newUser();
    const { session } = await start(userId);
    const waiting = ask(`/v1/current?userId=${userId}&wait=10&after=${session.revision}`);
    await becomes(() => metric('ledger_waiters'), 1);
    const { session: next } = await rotate(session.sessionId, 1);
    const changed = performance.now();
    expect((await waiting).body).toMatchObject({ sessionId: next.sessionId });
    expect(performance.now() - changed).toBeLessThan(100);
  });

  test('is answered at once when the change was before', async () => {
    const userId = newUser();
    await start(userId);
    const began = performance.now();
    expect((await ask(`/v1/current?userId=${userId}&wait=10`)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('also begins before there is a session', async () => {
    const userId = newUser();
    const waiting = ask(`/v1/current?userId=${userId}&wait=10`);
    await becomes(() => metric('ledger_waiters'), 1);
    await start(userId);
    expect((await waiting).status).toBe(200);
  });

  test('ends with 304 when nothing changed in time', async () => {
    const userId = newUser();
    const { session } = await start(userId);
    const began = performance.now();
    const { status } = await ask(`/v1/current?userId=${userId}&wait=1&after=${session.revision}`);
    expect(status).toBe(304);
    expect(performance.now() - began).toBeGreaterThan(990);
  });

  test('leaves nothing behind when its client goes away', async () => {
    const userId = newUser();
    const gone = new AbortController();
    const waiting = Array.from({ length: 50 }, () =>
      askAddress(`${service.url}/v1/current?userId=${userId}&wait=60`, { signal: gone.signal }),
    );
    await becomes(() => metric('ledger_waiters'), 50);
    gone.abort();
    await Promise.allSettled(waiting);
    await becomes(() => metric('ledger_waiters'), 0);
  });
});

test("a scope's events come in pages, in order and without others", async () => {
  const userId = newUser();
  let { session } = await start(userId);
  await start(newUser());
  for (let epoch = 1; epoch <= 4; epoch++) ({ session } = await rotate(session.sessionId, epoch));
  const all = (await ask<EventsBody>(`/v1/events?userId=${userId}`)).body;
  expect(all.events.map(({ data }) => data.version)).toEqual([1, 2, 3, 4, 5]);
  expect(all.next).toBeUndefined();
  const first = (await ask<EventsBody>(`/v1/events?userId=${userId}&limit=3`)).body;
  const rest = (await ask<EventsBody>(`/v1/events?userId=${userId}&limit=3&after=${first.next}`)).body;
  expect([...first.events, ...rest.events]).toEqual(all.events);
});

test('the feed of a partition is numbered without gaps, in pages', async () => {
  const { position } = await start(newUser());
  const path = `/v1/feed?partition=${position.partition}`;
  const all = (await ask<EventsBody>(`${path}&limit=500`)).body.events;
  const dense = all.map((_, index) => `${position.partition}:${index + 1}`);
  expect(all.map(({ id }) => id)).toEqual(dense);
  expect(all.length).toBeGreaterThanOrEqual(position.sequence);
  const pages: string[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { body }: { body: EventsBody } = await ask<EventsBody>(`${path}&limit=2&after=${after}`);
    pages.push(...body.events.map(({ id }) => id));
    after = body.next;
  }
  expect(pages).toEqual(dense);
});

test('the snapshot holds every current session once, after its position, and says that it is complete', async () => {
  const mine = [await start(newUser()), await start(newUser(), { attributes: { a: 1 } })];
  const { sessionId } = (await start(newUser())).session;
  await ask(`/v1/sessions/${sessionId}/end`, { body: { epoch: 1, origin: cloudDev, reason: 'r' } });
  const { text } = await ask('/v1/snapshot');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.pop()).toEqual({ complete: true });
  const positions = lines.flatMap(({ position }) => (position ? [position.partition] : []));
  expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, partition) => partition));
  const sessions = lines.flatMap(({ session }) => (session ? [session] : []));
  for (const { session } of mine) {
    expect(sessions.filter((one) => one.sessionId === session.sessionId)).toEqual([session]);
  }
  expect(sessions.some((one) => one.sessionId === sessionId)).toBe(false);
});

test('snapshots that nobody takes to their end hold no connection', async () => {
  for (let count = 0; count < 30; count++) {
    const gone = new AbortController();
    const response = await fetch(`${service.url}/v1/snapshot`, { signal: gone.signal });
    expect(response.status).toBe(200);
    gone.abort();
  }
  expect((await ask('/v1/snapshot')).text).toMatch(/\{"complete":true\}\n$/);
  expect((await askAddress(`${service.url}/health/ready`)).status).toBe(200);
});

describe('for those who run it', () => {
  test('health says what works', async () => {
    const [live, ready] = await Promise.all([
      askAddress(`${service.url}/health/live`),
      askAddress(`${service.url}/health/ready`),
    ]);
    expect(live).toMatchObject({ status: 200, body: { live: true } });
    expect(ready).toMatchObject({ status: 200, body: { ready: true, postgres: 'ok', relay: 'none' } });
  });

  test('metrics count commands, and name no user and no session', async () => {
    const { session } = await start(newUser());
    const { text, headers } = await askAddress(`${service.url}/metrics`);
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await metric('ledger_batch_commands_sum')).toBeGreaterThan(0);
    expect(text).not.toContain(session.scope.userId);
    expect(text).not.toContain(session.sessionId);
  });
});
