import { randomUUID } from 'node:crypto';
import { headsOf, refused } from '../support/bad-input.js';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { ask as askAddress } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';

interface Figures {
  inSync: number;
  outOfSync: number;
  unknown: number;
  rate?: number;
}
interface Stats {
  ledger: { source: string; partitions: number; events: number; heads: number[] };
  projection: { positions: number[]; behind: number };
  sync: Figures & {
    consumers: (Figures & { consumer: string })[];
    list: {
      consumer: string;
      userId: string;
      state: string;
      sessionId: string;
      currentId?: string;
      since: string;
    }[];
    next?: string;
  };
}

let service: Service;
let ask: DescribedAsk;
beforeAll(async () => {
  service = await startService();
  ask = await describedBy(service.url);
});

let consumers = 0;
const newConsumer = () => `consumer-${++consumers}`;
const start = async (userId: string) =>
  (await ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev } })).body.session;
const report = async (...reports: object[]) => (await ask('/v1/reports', { body: reports })).body;
const stats = async (query = '') => (await ask<Stats>(`/v1/stats${query}`)).body;

test('a consumer is in sync while it holds the current session, and out of sync since that had ended', async () => {
  const [userId, consumer] = [newUser(), newConsumer()];
  const first = await start(userId);
  expect(await report({ consumer, userId, sessionId: first.sessionId })).toEqual({ taken: 1, dropped: 0 });
  expect((await stats(`?consumer=${consumer}`)).sync).toEqual({
    ...{ inSync: 1, outOfSync: 0, unknown: 0, rate: 1, list: [] },
    consumers: [{ consumer, inSync: 1, outOfSync: 0, unknown: 0, rate: 1 }],
  });
  const second = await start(userId);
  const { sync } = await stats(`?consumer=${consumer}`);
  expect(sync).toMatchObject({ inSync: 0, outOfSync: 1, rate: 0 });
  expect(sync.list).toMatchObject([
    {
      consumer,
      userId,
      projectId: 'default',
      state: 'out-of-sync',
      sessionId: first.sessionId,
      currentId: second.sessionId,
    },
  ]);
  expect(sync.list[0]?.since).toBe(second.startedAt);
  await report({ consumer, userId, sessionId: second.sessionId });
  expect((await stats(`?consumer=${consumer}`)).sync).toMatchObject({ inSync: 1, outOfSync: 0, list: [] });
});

test('who reports an old session late is out of sync since it said so; ended ones and none current count, too', async () => {
  const [userId, consumer] = [newUser(), newConsumer()];
  const first = await start(userId);
  const second = await start(userId);
  const before = new Date().toISOString();
  await report({ consumer, userId, sessionId: first.sessionId });
  const since = (await stats(`?consumer=${consumer}`)).sync.list[0]!.since;
  expect(since >= before).toBe(true);
  await report({ consumer, userId, sessionId: first.sessionId });
  expect((await stats(`?consumer=${consumer}`)).sync.list[0]!.since).toBe(since);
  const body = { epoch: second.epoch, origin: cloudDev, reason: 'r' };
  await ask(`/v1/sessions/${second.sessionId}/end`, { body });
  await report({ consumer, userId, sessionId: second.sessionId });
  const { list } = (await stats(`?consumer=${consumer}`)).sync;
  expect(list).toMatchObject([{ state: 'out-of-sync', sessionId: second.sessionId }]);
  expect(list[0]).not.toHaveProperty('currentId');
});

test('what is no session of the scope is unknown, also one of another scope', async () => {
  const [userId, other, consumer] = [newUser(), newUser(), newConsumer()];
  await start(userId);
  const foreign = await start(other);
  await report({ consumer, userId, sessionId: foreign.sessionId });
  expect((await stats(`?consumer=${consumer}`)).sync).toMatchObject({ inSync: 0, outOfSync: 0, unknown: 1 });
  await report({ consumer, userId, sessionId: randomUUID() });
  await report({ consumer, userId: newUser(), sessionId: randomUUID() });
  const { sync } = await stats(`?consumer=${consumer}`);
  expect(sync).toMatchObject({ unknown: 2, rate: 0 });
  expect(sync.list.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
});

test('the rate is over all consumers and for each; those out of sync come in pages', async () => {
  const names = ['NULL', 'null', newConsumer()];
  const users = Array.from({ length: 20 }, () => newUser());
  const sessions = await Promise.all(users.map(start));
  const reports = names.flatMap((consumer) =>
    users.map((userId, n) => ({
      consumer,
      userId,
      sessionId: n < 19 ? sessions[n]!.sessionId : randomUUID(),
    })),
  );
  await report(...reports);
  const { sync } = await stats();
  for (const consumer of names) {
    const figures = { inSync: 19, outOfSync: 0, unknown: 1, rate: 0.95 };
    expect(sync.consumers).toContainEqual({ consumer, ...figures });
  }
  expect(sync.inSync).toBe(sync.consumers.reduce((sum, { inSync }) => sum + inSync, 0));
  await Promise.all(users.map(start));
  const seen: string[] = [];
  for (let after = ''; ; ) {
    const page = (await stats(`?consumer=NULL&limit=7${after}`)).sync;
    seen.push(...page.list.map(({ userId }) => userId));
    if (!page.next) break;
    after = `&after=${page.next}`;
  }
  expect(seen.sort()).toEqual([...users].sort());
});

test('of several reports about one consumer and scope in one request the last counts', async () => {
  const [userId, consumer] = [newUser(), newConsumer()];
  const { sessionId } = await start(userId);
  const twice = [randomUUID(), sessionId].map((id) => ({ consumer, userId, sessionId: id }));
  expect(await report(...twice)).toEqual({ taken: 1, dropped: 0 });
  expect((await stats(`?consumer=${consumer}`)).sync).toMatchObject({ inSync: 1, unknown: 0 });
});

test('a thousand reports with long ids fit in a request; from many at once each is kept', async () => {
  const consumer = newConsumer();
  const of = (n: number) => ({
    ...{ consumer, userId: `${'u'.repeat(150)}${n}`, projectId: 'p'.repeat(150), sessionId: randomUUID() },
  });
  const ask = () => report(...Array.from({ length: 1_000 }, (_, n) => of(n)).sort(() => Math.random() - 0.5));
  const taken = await Promise.all(Array.from({ length: 6 }, ask));
  expect(taken).toEqual(Array(6).fill({ taken: 1_000, dropped: 0 }));
  expect((await stats(`?consumer=${consumer}`)).sync.unknown).toBe(1_000);
});

test('figures of the ledger and of the projection', async () => {
  const before = await stats();
  const userId = newUser();
  await start(userId);
  const [{ source }] = (await ask<{ events: [{ source: string }] }>(`/v1/events?userId=${userId}`)).body
    .events;
  for (let tries = 0; tries < 200; tries++) {
    const { ledger, projection } = await stats();
    expect(ledger.partitions).toBe(16);
    expect(ledger.source).toBe(source);
    expect(ledger.events).toBe(ledger.heads.reduce((sum, head) => sum + head, 0));
    if (ledger.events > before.ledger.events && projection.behind === 0) {
      expect(projection.positions).toEqual(ledger.heads);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the projection does not catch up');
});

test.each([
  ['no reports', '[]', 'body has to have at least 1 item'],
  ['no list', '{}', 'body has to be of type array'],
  [
    'a report of nobody',
    '[{"userId":"a","sessionId":"01920000-0000-7003-8000-000000000000"}]',
    'body.0.consumer is missing',
  ],
  [
    'a consumer with a space',
    '[{"consumer":"a b","userId":"a","sessionId":"01920000-0000-7003-8000-000000000000"}]',
    'body.0.consumer has to be',
  ],
  ['a session that is none', '[{"consumer":"a","userId":"a","sessionId":"x"}]', 'body.0.sessionId has to be'],
  [
    'something else besides',
    '[{"consumer":"a","userId":"a","sessionId":"01920000-0000-7003-8000-000000000000","at":1}]',
    'body.0.at is not known here',
  ],
])('%s: 400', async (_, body, detail) => {
  const told = await refused(`${service.url}/v1/reports`, { body });
  expect(told).toMatchObject({
    answer: '400 invalid-request',
    detail: expect.stringContaining(detail),
    faults: [],
  });
});

test('more than a thousand, or more than 512 KiB, are refused', async () => {
  const one = { consumer: 'a', userId: 'a', sessionId: randomUUID() };
  const heads = await headsOf(service.url);
  const many = await refused(`${service.url}/v1/reports`, { body: Array(1_001).fill(one) });
  expect(many).toMatchObject({ answer: '400 invalid-request', faults: [] });
  const large = await refused(`${service.url}/v1/reports`, { body: `[${' '.repeat(600_000)}]` });
  expect(large).toMatchObject({ answer: '413 body-too-large', faults: [] });
  expect(await headsOf(service.url)).toEqual(heads); // reports are no events
});

test('health and metrics tell how the projection stands', async () => {
  const ready = await askAddress(`${service.url}/health/ready`);
  expect(ready.body).toMatchObject({ ready: true, projector: 'projecting' });
  const { text } = await askAddress(`${service.url}/metrics`);
  expect(text).toMatch(/^ledger_projection_behind_events\{partition="15"\} \d+$/m);
  expect(text).toMatch(/^ledger_projected_events_total \d+$/m);
});
