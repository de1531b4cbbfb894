import type { SessionView } from '#api/schemas';
import { refused } from '../support/bad-input.js';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';

let service: Service;
let ask: DescribedAsk;
beforeAll(async () => {
  service = await startService();
  ask = await describedBy(service.url);
});
afterEach(() => expect(service.process.errors).toEqual([]));

interface Page {
  sessions: SessionView[];
  next?: string;
}
const start = async (userId: string, projectId: string, more: object = {}) => {
  const body = { userId, projectId, owner: cloudDev, ...more };
  return (await ask<CommandBody>('/v1/sessions', { body })).body.session;
};
const all = async (userId: string, next?: string) =>
  (await ask<Page>(`/v1/current?${new URLSearchParams({ userId, all: 'true', ...(next && { next }) })}`))
    .body;
const byId = (one: SessionView, other: SessionView) => (one.sessionId < other.sessionId ? -1 : 1);

describe('all current sessions of a user', () => {
  test('are those of every project, with attributes, and of nobody else', async () => {
    const userId = newUser();
    const mine = [
      await start(userId, 'default', { attributes: { a: 1 } }),
      await start(userId, 'b/c'),
      await start(userId, 'проект'),
    ];
    const over = await start(userId, 'over');
    await ask(`/v1/sessions/${over.sessionId}/end`, { body: { epoch: 1, origin: cloudDev, reason: 'r' } });
    await start(`${userId}2`, 'default');
    const { sessions, next } = await all(userId);
    expect([sessions.sort(byId), next]).toEqual([mine.sort(byId), undefined]);
  });

  test('are none for who has none', async () => {
    expect(await all(newUser())).toEqual({ sessions: [] });
  });

  test('come in pages of at most 100, each session once', async () => {
    const userId = newUser();
    const projects = Array.from({ length: 250 }, (_, index) => `p${index}`);
    const mine = await Promise.all(projects.map((projectId) => start(userId, projectId)));
    const pages: SessionView[][] = [];
    let next: string | undefined;
    do {
      const page = await all(userId, next);
      pages.push(page.sessions);
      next = page.next;
    } while (next !== undefined);
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(pages.flat().sort(byId)).toEqual(mine.sort(byId));
  });

  test('all=false is as without it', async () => {
    const userId = newUser();
    const session = await start(userId, 'default');
    expect((await ask(`/v1/current?userId=${userId}&all=false`)).body).toEqual(session);
  });

  const one = 'is for one scope, query.all for all of a user';
  test.each([
    ['projectId=p&all=true', `query.projectId ${one}`],
    ['wait=1&all=true', `query.wait ${one}`],
    ['after=1&all=true', `query.after ${one}`],
    ['after=0&all=true', `query.after ${one}`],
    ['all=yes', 'query.all has to be of type boolean'],
    ['all=', 'query.all has to be of type boolean'],
    ['next=', 'query.next needs query.all=true'],
    ['next=0.00000000000000000000000000000000', 'query.next needs query.all=true'],
    ['all=true&next=nonsense', 'query.next has to be the next of the page before'],
    ['all=true&next=', 'query.next has to be the next of the page before'],
    [
      'all=true&next=99999.00000000000000000000000000000000',
      'query.next has to be the next of the page before',
    ],
  ])('%s is refused', async (query, detail) => {
    expect(await refused(`${service.url}/v1/current?userId=a&${query}`)).toMatchObject({
      answer: '400 invalid-request',
      detail,
      faults: [],
    });
  });

  test('If-None-Match with all is refused: a page has no ETag', async () => {
    const headers = { 'if-none-match': '"1"' };
    const told = await refused(`${service.url}/v1/current?userId=a&all=true`, { headers });
    expect(told).toMatchObject({ answer: '400 invalid-request', faults: [] });
    expect(told.detail).toMatch(/^header.if-none-match/);
  });
});

describe('the refusals of a session', () => {
  type Refused = SessionView & { refusals: { why: string; count: number; position: object }[] };
  const read = async ({ sessionId }: SessionView) =>
    (await ask<Refused>(`/v1/sessions/${sessionId}`)).body.refusals;
  const stop = ({ sessionId }: SessionView, epoch: number, origin: object) =>
    ask(`/v1/sessions/${sessionId}/end`, { body: { epoch, origin, reason: 'late' } });

  test('say who wanted to stop it, under which epoch, why not, how often, and where that stands', async () => {
    const userId = newUser();
    const old = await start(userId, 'default');
    const wrong = await stop(old, 1, cloudDebug);
    const current = await start(userId, 'default', { owner: cloudDebug });
    for (let times = 0; times < 3; times++) await stop(old, 1, cloudDev);
    const [position] = [wrong.headers.get('ledger-position')?.split(':').map(Number)];
    expect(await read(old)).toEqual([
      {
        origin: cloudDev,
        epoch: 1,
        why: 'superseded',
        count: 3,
        position: expect.anything(),
        at: expect.stringMatching(/Z$/),
      },
      {
        origin: cloudDebug,
        epoch: 1,
        why: 'not-owner',
        count: 1,
        position: { partition: position?.[0], sequence: position?.[1] },
        at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await read(current)).toEqual([]);
    const shown = (await ask(`/v1/current?userId=${userId}`)).body;
    expect(shown).not.toHaveProperty('refusals');
  });

  test('are the newest 100', async () => {
    const session = await start(newUser(), 'default');
    for (let index = 0; index < 103; index++) {
      await stop(session, 1, { environment: 'other', instance: `${index}` });
    }
    const instances = (await read(session)).map(
      (one) => (one as unknown as { origin: { instance: string } }).origin,
    );
    expect(instances.map(({ instance }) => Number(instance))).toEqual(
      Array.from({ length: 100 }, (_, index) => 102 - index),
    );
  });
});
