import { randomUUID } from 'node:crypto';
import type { AnswerOf } from '#client';
import { bothLedgers, type Ledger } from '../support/both-ledgers.js';
import { ask, type Reply } from '../support/http.js';
import { type CommandBody, cloudDebug, cloudDev, newUser, type ProblemBody } from '../support/sessions.js';
import { within } from '../support/until.js';

/** All current sessions of a tenant, as a page of them is asked for. */

type List = AnswerOf<'listCurrent'>;
const { until } = within(10_000);

let ledgers: Ledger[];
beforeAll(async () => {
  ledgers = await bothLedgers();
});

describe.each([
  ['the service', 0],
  ['the ledger in memory', 1],
])('%s', (_, index) => {
  const ledger = () => ledgers[index] as Ledger;
  const askFor = <Body>(path: string, body?: object): Promise<Reply<Body>> =>
    ask<Body>(`${ledger().url}${path}`, { ...(body && { body }), send: ledger().fetch });
  const list = async (query: Record<string, string>) =>
    (await askFor<List>(`/v1/sessions/current?${new URLSearchParams(query)}`)).body;
  const idsOf = ({ sessions }: List) => sessions.map(({ sessionId }) => sessionId);
  /** Resolves once the read models know the event that made it so. */
  const projected = async ({ session: { scope }, position }: CommandBody): Promise<void> => {
    const atLeast = `${position.partition}:${position.sequence}`;
    const { status } = await askFor(`/v1/sessions?${new URLSearchParams({ ...scope, atLeast, limit: '1' })}`);
    expect(status).toBe(200);
  };
  const command = async (path: string, body: object) => {
    const told = await askFor<CommandBody>(path, body);
    expect(told.status).toBeLessThan(300);
    await projected(told.body);
    return told.body.session;
  };
  const start = (body: object) => command('/v1/sessions', { userId: newUser(), owner: cloudDev, ...body });
  const change = (name: string, { sessionId, epoch }: CommandBody['session'], body: object) =>
    command(`/v1/sessions/${sessionId}/${name}`, { epoch, ...body });

  test('lists each session from its start until its end, as it is', async () => {
    const projectId = randomUUID();
    const started = await start({ projectId, phase: 'starting', attributes: { title: 'one' } });
    const [shown] = (await list({ projectId })).sessions;
    const { body: alone } = await askFor<object>(
      `/v1/current?userId=${started.scope.userId}&projectId=${projectId}`,
    );
    expect(shown).toEqual({ ...alone, position: expect.any(Object) });
    expect((await list({ projectId, status: 'starting' })).sessions).toHaveLength(1);

    const active = await change('activate', started, {});
    expect((await list({ projectId, status: 'starting' })).sessions).toEqual([]);
    expect((await list({ projectId, status: 'active', ...cloudDev })).sessions).toHaveLength(1);

    const released = await change('release', active, {});
    expect((await list({ projectId, ...cloudDev })).sessions).toEqual([]);
    const claimed = await change('claim', released, { owner: { ...cloudDebug, instance: 'two' } });
    expect(idsOf(await list({ projectId, ...cloudDebug, instance: 'two' }))).toEqual([started.sessionId]);
    expect(idsOf(await list({ projectId, ...cloudDebug, instance: 'three' }))).toEqual([]);

    const rotated = await change('rotate', claimed, { reason: 'compact' });
    expect(idsOf(await list({ projectId }))).toEqual([rotated.sessionId]);
    await change('end', rotated, { origin: { ...cloudDebug, instance: 'two' }, reason: 'finished' });
    expect(await list({ projectId })).toEqual({ sessions: [] });
  });

  test('a superseded one makes room for the next', async () => {
    const projectId = randomUUID();
    const userId = newUser();
    await start({ projectId, userId });
    const next = await start({ projectId, userId, owner: cloudDebug });
    expect(idsOf(await list({ projectId }))).toEqual([next.sessionId]);
  });

  test('by when they started, the newest or the oldest first, in pages that are places', async () => {
    const projectId = randomUUID();
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.push((await start({ projectId })).sessionId);
    const pages = async (query: Record<string, string>, meanwhile = async () => {}) => {
      const found: string[] = [];
      let page = await list({ projectId, limit: '2', ...query });
      found.push(...idsOf(page));
      await meanwhile();
      while (page.next) {
        page = await list({ projectId, limit: '2', ...query, next: page.next });
        found.push(...idsOf(page));
      }
      return found;
    };
    const inOrder = (await list({ projectId, sort: 'oldest' })).sessions.map(({ startedAt }) => startedAt);
    expect(inOrder).toEqual([...inOrder].sort());
    const oldest = await pages({ sort: 'oldest' });
    expect([...oldest].sort()).toEqual([...ids].sort());
    expect(await pages({ sort: 'newest' })).toEqual(oldest.toReversed());
    // What starts meanwhile is before the page that was read, and moves nothing.
    const during = await pages({ sort: 'newest' }, async () => void (await start({ projectId })));
    expect(during).toEqual(oldest.toReversed());
  });

  test('figures count them by status and environment, and the commands that made them so', async () => {
    type Stats = AnswerOf<'stats'>;
    const [environment, projectId] = [`cloud ${randomUUID()}`, randomUUID()];
    const before = (await askFor<Stats>('/v1/stats')).body;
    const one = await start({ projectId, owner: { environment } });
    await start({ projectId, owner: { environment }, phase: 'starting' });
    const { sessionId, epoch } = await change('release', one, {});
    const late = { epoch: epoch - 1, origin: cloudDev, reason: 'late' };
    expect((await askFor(`/v1/sessions/${sessionId}/end`, late)).status).toBe(409);
    let after = before;
    await until(async () => {
      after = (await askFor<Stats>('/v1/stats')).body;
      return after.current.total === before.current.total + 2;
    });
    const { byStatus, byEnvironment } = after.current;
    expect(byStatus.starting - before.current.byStatus.starting).toBe(1);
    expect(byStatus.released - before.current.byStatus.released).toBe(1);
    expect(byEnvironment).toContainEqual({ environment, count: 1 });
    expect(after.traffic.commands - before.traffic.commands).toBe(3);
    expect(after.traffic.refusals - before.traffic.refusals).toBe(1);
    expect(after.traffic.all).toEqual({ commands: after.traffic.commands, refusals: after.traffic.refusals });
    expect(after.replicas).toContain(after.traffic.replica);
  });

  test('who asks again and again for figures that may be old shares them', async () => {
    const { body: first } = await askFor<{ at: string }>('/v1/stats?maxAge=60');
    await start({});
    expect((await askFor('/v1/stats?maxAge=60')).body).toEqual(first);
    expect((await askFor<{ at: string }>('/v1/stats')).body.at > first.at).toBe(true);
  });

  test('sessions are found by the version of a project that they were made with, ended ones as well', async () => {
    const versionId = `v ${randomUUID()}`;
    const find = async (query: Record<string, string>) =>
      (await askFor<List>(`/v1/sessions/of-version?${new URLSearchParams({ versionId, ...query })}`)).body;
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      const root = await start({ projectId: `p ${count}` });
      const made = await change('rotate', root, { reason: 'build', versionId });
      await change('end', made, { origin: cloudDev, reason: 'finished' });
      ids.unshift(made.sessionId);
    }
    const { sessions } = await find({});
    expect(sessions.map(({ sessionId }) => sessionId).sort()).toEqual([...ids].sort());
    expect(sessions[0]).toMatchObject({ status: 'ended', versionId, position: expect.any(Object) });
    const first = await find({ limit: '2' });
    const second = await find({ limit: '2', next: first.next! });
    expect([...idsOf(first), ...idsOf(second)]).toEqual(sessions.map(({ sessionId }) => sessionId));
    expect(await find({ versionId: 'of nobody' })).toEqual({ sessions: [] });
    const { status } = await askFor('/v1/sessions/of-version?versionId=v&next=bm8');
    expect(status).toBe(400);
  });

  test('those that started before a time', async () => {
    const projectId = randomUUID();
    const { sessionId, startedAt } = await start({ projectId });
    expect((await list({ projectId, before: startedAt })).sessions).toEqual([]);
    const later = new Date(Date.parse(startedAt) + 1).toISOString();
    expect(idsOf(await list({ projectId, before: later }))).toEqual([sessionId]);
  });

  test('those whose lease is over soon, with its end', async () => {
    const projectId = randomUUID();
    const long = await start({ projectId, lease: { seconds: 3_600 } });
    const short = await start({ projectId, lease: { seconds: 600 } });
    const none = await start({ projectId });
    const { sessions } = await list({ projectId, sort: 'lease' });
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual([short.sessionId, long.sessionId]);
    const [first, second] = sessions.map(({ lease }) => Date.parse(lease?.expiresAt ?? ''));
    expect(second! - first!).toBeGreaterThan(2_990_000);
    const soon = new Date(first! + 60_000).toISOString();
    expect(idsOf(await list({ projectId, leaseBefore: soon }))).toEqual([short.sessionId]);
    const byStart = (await list({ projectId })).sessions.find(
      ({ sessionId }) => sessionId === short.sessionId,
    );
    expect(byStart?.lease?.expiresAt).toBe(sessions[0]?.lease?.expiresAt);

    const page = await list({ projectId, sort: 'lease', limit: '1' });
    expect(idsOf(await list({ projectId, sort: 'lease', limit: '1', next: page.next! }))).toEqual([
      long.sessionId,
    ]);
    expect(idsOf(await list({ projectId }))).toContain(none.sessionId);
  });

  test('those that a reset is advised for', async () => {
    const projectId = randomUUID();
    const long = await start({ projectId, policy: { maxChainLength: 1 } });
    const short = await start({ projectId });
    expect(idsOf(await list({ projectId, resetAdvised: 'true' }))).toEqual([long.sessionId]);
    expect(idsOf(await list({ projectId, resetAdvised: 'false' }))).toEqual([short.sessionId]);
  });

  test.each([
    ['status=ended', 'query.status'],
    ['before=2026-02-30T00:00:00Z', 'query.before is not a valid time'],
    ['leaseBefore=tomorrow', 'query.leaseBefore'],
    ['next=bm8', 'query.next has to be the next of an earlier page'],
    ['limit=0', 'query.limit'],
    ['userId=ada', 'query'],
  ])('refuses %s and says why', async (query, detail) => {
    const { status, body } = await askFor<ProblemBody>(`/v1/sessions/current?${query}`);
    expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
    expect(body.detail).toContain(detail);
  });

  test('refuses the place of a page in another order', async () => {
    const projectId = randomUUID();
    await start({ projectId });
    const { next = '' } = await list({ projectId, limit: '1' });
    const { body } = await askFor<ProblemBody>(`/v1/sessions/current?sort=oldest&next=${next}`);
    expect(body.detail).toBe('query.next is of a page with sort=newest');
  });
});
