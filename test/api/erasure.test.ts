import { type DescribedAsk, describedBy } from '../support/described.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, type EventsBody, newUser } from '../support/sessions.js';

let service: Service;
let ask: DescribedAsk;
beforeAll(async () => {
  service = await startService();
  ask = await describedBy(service.url);
});
afterEach(() => expect(service.process.errors).toEqual([]));

interface Erased {
  outcome: string;
  erased: { scope: { userId: string; projectId: string }; position: object }[];
  complete: boolean;
}
const attributes = { name: 'Ada', note: 'private' };
const start = async (userId: string, more: object = {}, headers = {}) =>
  (
    await ask<CommandBody>('/v1/sessions', {
      body: { userId, owner: cloudDev, attributes, ...more },
      headers,
    })
  ).body;
const erase = (query: object) =>
  ask<Erased>(`/v1/details?${new URLSearchParams({ ...query })}`, { method: 'DELETE' });
const events = async (userId: string) =>
  (await ask<EventsBody>(`/v1/events?userId=${userId}&limit=500`)).body.events;

test('attributes read erased wherever they are shown, and waiters and ETags see the change', async () => {
  const userId = newUser();
  const { session: first } = await start(userId);
  const { session } = await start(userId, { owner: cloudDebug });
  const waiting = ask(`/v1/current?userId=${userId}&wait=10&after=${session.revision}`);
  const { status, headers, body } = await erase({ userId, projectId: 'default' });
  expect([status, body]).toEqual([
    200,
    {
      outcome: 'erased',
      erased: [{ scope: { userId, projectId: 'default' }, position: expect.anything() }],
      complete: true,
    },
  ]);
  const position = Object.values(body.erased[0]?.position ?? {}).join(':');
  expect(headers.get('ledger-position')).toBe(position);

  expect((await waiting).body).toEqual({
    ...session,
    revision: session.revision + 1,
    attributes: 'erased',
  });
  expect((await ask(`/v1/sessions/${first.sessionId}`)).body).toMatchObject({ attributes: 'erased' });
  const log = await events(userId);
  expect(log.at(-1)).toMatchObject({
    id: position,
    type: 'session-ledger.DetailsErased.v1',
    data: { operator: 'anonymous', session: { sessionId: session.sessionId } },
  });
});

test('the events before it are served as they were', async () => {
  const userId = newUser();
  await start(userId);
  const before = (await ask(`/v1/events?userId=${userId}`)).text.slice(0, -2);
  await erase({ userId });
  expect((await ask(`/v1/events?userId=${userId}`)).text.startsWith(before)).toBe(true);
});

test('again is unchanged and writes nothing, also for who was never heard of', async () => {
  const userId = newUser();
  await start(userId);
  await erase({ userId });
  const before = await events(userId);
  for (const query of [{ userId }, { userId, projectId: 'default' }, { userId: newUser() }]) {
    const { status, body } = await erase(query);
    expect([status, body]).toEqual([200, { outcome: 'unchanged', erased: [], complete: true }]);
  }
  expect(await events(userId)).toEqual(before);
});

test('new attributes after it are kept, and a patch starts from nothing', async () => {
  const userId = newUser();
  const { session } = await start(userId);
  await erase({ userId });
  const patch = { epoch: session.epoch, attributes: { fresh: 1 } };
  const path = `/v1/sessions/${session.sessionId}/attributes`;
  const changed = await ask<CommandBody>(path, { method: 'PATCH', body: patch });
  expect(changed.body.session.attributes).toEqual({ fresh: 1 });
  const next = await start(userId, { attributes: { again: 2 } });
  expect((await ask(`/v1/current?userId=${userId}`)).body).toEqual(next.session);
  expect((await ask(`/v1/sessions/${session.sessionId}`)).body.attributes).toEqual({ fresh: 1 });
});

test('a start that is repeated by its key says erased', async () => {
  const userId = newUser();
  const key = { 'idempotency-key': userId };
  const { session } = await start(userId, {}, key);
  await erase({ userId });
  expect((await start(userId, {}, key)).session).toEqual({ ...session, attributes: 'erased' });
});

test('with a project only that scope, without all of the user, and nobody else', async () => {
  const [userId, other] = [newUser(), newUser()];
  for (const projectId of ['a', 'b/c', 'default', 'ö']) await start(userId, { projectId });
  await start(other);
  const read = async (projectId: string, of = userId) =>
    (await ask(`/v1/current?${new URLSearchParams({ userId: of, projectId })}`)).body.attributes;
  await erase({ userId, projectId: 'a' });
  expect([await read('a'), await read('b/c')]).toEqual(['erased', attributes]);
  const { body } = await erase({ userId });
  expect(body.erased.map(({ scope }) => scope.projectId).sort()).toEqual(['b/c', 'default', 'ö']);
  expect([await read('b/c'), await read('ö')]).toEqual(['erased', 'erased']);
  expect(await read('default', other)).toEqual(attributes);
});

test('of a user with over 500 scopes is complete when it says so', async () => {
  const userId = newUser();
  const projects = Array.from({ length: 501 }, (_, index) => `project-${index}`);
  await Promise.all(projects.map((projectId) => start(userId, { projectId })));
  const first = (await erase({ userId })).body;
  expect([first.erased.length, first.complete]).toEqual([500, false]);
  const second = (await erase({ userId })).body;
  expect([second.erased.length, second.complete]).toEqual([1, true]);
  const erased = [...first.erased, ...second.erased].map(({ scope }) => scope.projectId);
  expect(erased.sort()).toEqual(projects.sort());
});
