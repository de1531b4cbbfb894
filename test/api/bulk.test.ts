import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { SessionView } from '#api/schemas';
import { headsOf, refused } from '../support/bad-input.js';
import { execute } from '../support/database.js';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { ask as askAddress } from '../support/http.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, type EventsBody, newUser } from '../support/sessions.js';

interface JobBody {
  jobId: string;
  state: 'open' | 'finished';
  counts: { examined: number; changed: number; skipped: number; failed: number };
  partitions: { done: number; of: number };
  finishedAt?: string;
}

let service: Service;
let ask: DescribedAsk;
beforeAll(async () => {
  service = await startService();
  ask = await describedBy(service.url);
});
afterEach(() => expect(service.process.errors).toEqual([]));

const deadCloud = () => ({ environment: `cloud-${randomUUID()}` });
const start = async (owner: object, more: object = {}) =>
  (await ask<CommandBody>('/v1/sessions', { body: { userId: newUser(), owner, ...more } })).body.session;
const order = (select: object, more: object = {}, headers = {}) =>
  ask<JobBody>('/v1/bulk', { body: { select, action: 'end', reason: 'cloud is gone', ...more }, headers });
const finished = async (jobId: string) => (await ask<JobBody>(`/v1/bulk/${jobId}?wait=30`)).body;
const read = async ({ sessionId }: SessionView) => (await ask<SessionView>(`/v1/sessions/${sessionId}`)).body;
const counts = (changed: number, skipped = 0) => ({
  examined: changed + skipped,
  changed,
  skipped,
  failed: 0,
});

test('ends the sessions of a dead cloud, and says how many', async () => {
  const dead = deadCloud();
  const gone = [await start(dead), await start({ ...dead, instance: 'a' })];
  const spared = await start(cloudDev);
  const { status, headers, body } = await order(dead);
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/v1/bulk/${body.jobId}`);
  expect(await finished(body.jobId)).toMatchObject({
    state: 'finished',
    counts: counts(2),
    partitions: { done: 16, of: 16 },
    finishedAt: expect.any(String),
  });
  for (const session of gone) {
    expect(await read(session)).toMatchObject({
      status: 'ended',
      endCause: 'ended',
      endReason: 'cloud is gone',
      endedBy: { environment: 'bulk', instance: body.jobId },
    });
  }
  expect(await read(spared)).toMatchObject({ status: 'active' });
});

test('releases the sessions of a leaving user, who is recorded as forced to', async () => {
  const userId = newUser();
  const mine = [await start(cloudDev, { userId }), await start(cloudDev, { userId, projectId: 'other' })];
  const spared = await start(cloudDev);
  const { body } = await order({ userId }, { action: 'release' });
  expect(await finished(body.jobId)).toMatchObject({ counts: counts(2) });
  for (const session of mine) expect(await read(session)).toMatchObject({ status: 'released' });
  expect(await read(spared)).toMatchObject({ status: 'active' });
  const { events } = (await ask<EventsBody>(`/v1/events?userId=${userId}`)).body;
  expect(events.at(-1)).toMatchObject({
    type: 'session-ledger.OwnershipReleased.v1',
    data: { forced: true, operator: 'anonymous' },
  });
});

test('an instance is one of its environment', async () => {
  const dead = deadCloud();
  const [gone, spared] = [await start({ ...dead, instance: 'a' }), await start({ ...dead, instance: 'b' })];
  await finished((await order({ ...dead, instance: 'a' })).body.jobId);
  expect([(await read(gone)).status, (await read(spared)).status]).toEqual(['ended', 'active']);
});

test('what matches nothing is finished with counts of zero', async () => {
  const { body } = await order(deadCloud());
  expect(await finished(body.jobId)).toMatchObject({ state: 'finished', counts: counts(0) });
});

test('the same key gives the same job, also when it is finished; for another one it is refused', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const dead = deadCloud();
  const first = (await order(dead, {}, key)).body;
  const done = await finished(first.jobId);
  const again = await order(dead, {}, key);
  expect([again.status, again.body]).toEqual([202, done]);
  expect((await order(dead, { action: 'release' }, key)).status).toBe(422);
  expect((await order(dead)).body.jobId).not.toBe(first.jobId);
});

test('jobs are listed, the newest first, in pages; who ordered them stands there', async () => {
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) ids.unshift((await order(deadCloud())).body.jobId);
  await finished(ids[0]!);
  const page = async (query: string) =>
    (await ask<{ jobs: JobBody[]; next?: string }>(`/v1/bulk?${query}`)).body;
  const first = await page('limit=2');
  expect(first).toMatchObject({ jobs: [{ jobId: ids[0], principal: 'anonymous' }, { jobId: ids[1] }] });
  expect((await page(`limit=1&after=${first.next}`)).jobs).toMatchObject([{ jobId: ids[2] }]);
  const all = await page('limit=500');
  expect([all.jobs.slice(0, 3).map(({ jobId }) => jobId), all.next]).toEqual([ids, undefined]);
});

test('a forced release needs nobody to own it, and says who did it', async () => {
  const session = await start(cloudDev);
  const body = { epoch: 1, owner: { environment: 'somebody else' } };
  const path = `/v1/sessions/${session.sessionId}/release`;
  expect((await ask(path, { body })).status).toBe(409);
  const { body: answer } = await ask<CommandBody>(path, { body: { ...body, force: true } });
  expect(answer).toMatchObject({ outcome: 'released', session: { previousOwner: cloudDev } });
});

test('a forced claim makes the operator the principal of the session, in its event, too', async () => {
  const session = await start(cloudDev);
  const body = { epoch: 1, owner: { environment: 'cloud-new' }, force: true };
  await ask(`/v1/sessions/${session.sessionId}/claim`, { body });
  const { events } = (await ask<EventsBody>(`/v1/events?userId=${session.scope.userId}`)).body;
  expect(events.at(-1)).toMatchObject({
    type: 'session-ledger.OwnershipClaimed.v1',
    data: { forced: true, session: { principal: 'anonymous', owner: { environment: 'cloud-new' } } },
  });
});

describe('what is refused', () => {
  const reason = 'r';
  const select = { environment: 'x' };
  const everything =
    'body.select has to name userId or environment: without either it would mean every session';
  const wrong: [string, object, string][] = [
    ['everything', { select: {}, action: 'end', reason }, everything],
    ['an instance of everything', { select: { instance: 'a' }, action: 'end', reason }, everything],
    [
      'user and environment',
      { select: { userId: 'u', ...select }, action: 'end', reason },
      'body.select has to name userId or environment, not both',
    ],
    [
      'user and instance',
      { select: { userId: 'u', instance: 'a' }, action: 'end', reason },
      'body.select has to name userId or environment, not both',
    ],
    ['no select', { action: 'end', reason }, 'body.select is missing'],
    ['no action', { select, reason }, 'body.action is missing'],
    ['no reason', { select, action: 'end' }, 'body.reason is missing'],
    ['another action', { select, action: 'pause', reason }, 'body.action has to be one of: end, release'],
    ['an unknown field', { select, action: 'end', reason, all: true }, 'body.all is not known here'],
    [
      'an unknown field in select',
      { select: { ...select, projectId: 'p' }, action: 'end', reason },
      'body.select.projectId is not known here',
    ],
  ];
  test.each(wrong)('%s', async (_, body, detail) => {
    const heads = await headsOf(service.url);
    const { answer, faults, ...told } = await refused(`${service.url}/v1/bulk`, { body });
    expect([answer, faults]).toEqual(['400 invalid-request', []]);
    expect(told.detail).toContain(detail);
    expect(await headsOf(service.url)).toEqual(heads);
  });

  test.each([
    ['404 unknown-job', `/v1/bulk/${randomUUID()}`],
    ['404 unknown-job', `/v1/bulk/${randomUUID()}?wait=60`],
    ['400 invalid-request', '/v1/bulk/no-uuid'],
    ['400 invalid-request', `/v1/bulk/${randomUUID()}?wait=61`],
    ['400 invalid-request', `/v1/bulk/${randomUUID()}?x=1`],
    ['404 unknown-job', `/v1/bulk?after=${randomUUID()}`],
    ['400 invalid-request', '/v1/bulk?after=no-uuid'],
    ['400 invalid-request', '/v1/bulk?limit=501'],
  ])('%s: %s', async (answer, path) => {
    expect(await refused(`${service.url}${path}`)).toMatchObject({ answer, faults: [] });
  });
});

test('a job survives kill -9 in its middle, and ends each session exactly once', async () => {
  const replica = await startService({ databaseUrl: await freshDatabase() });
  const { url } = replica;
  const [dead, count] = [deadCloud(), 1_000];
  const send = async (owner: object) =>
    (await askAddress<CommandBody>(`${url}/v1/sessions`, { body: { userId: newUser(), owner } })).body;
  const callers = Array.from({ length: 32 }, async (_, caller) => {
    for (let made = caller; made < count; made += 32) await send(dead);
  });
  await Promise.all(callers);
  const { session: spared } = await send(cloudDev);

  // The last partition takes no command before the kill: so that comes in the middle, however busy the machine is.
  const holder = new pg.Client({ connectionString: replica.databaseUrl });
  await holder.connect();
  await holder.query('begin');
  await holder.query('select from ledger.heads where partition = 15 for update');
  const body = { select: dead, action: 'end', reason: 'cloud is gone' };
  const { jobId } = (await askAddress<JobBody>(`${url}/v1/bulk`, { body })).body;
  const look = async () => (await askAddress<JobBody>(`${url}/v1/bulk/${jobId}`)).body;
  while ((await look()).counts.changed === 0) await pause(5);
  await replica.stop('SIGKILL');
  await holder.query('rollback');
  await holder.end();
  await replica.restart();
  const { state, counts: before } = await look();
  expect([state, before.changed < count]).toEqual(['open', true]);

  let done = await look();
  while (done.state === 'open') done = (await askAddress<JobBody>(`${url}/v1/bulk/${jobId}?wait=10`)).body;
  expect(done.counts).toEqual(counts(count));
  const ended: string[] = [];
  for (let partition = 0; partition < 16; partition++) {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const path: string = `${url}/v1/feed?partition=${partition}&after=${after}&limit=500`;
      const page: EventsBody = (await askAddress<EventsBody>(path)).body;
      for (const { type, data } of page.events) {
        if (type === 'session-ledger.StopIgnored.v1') throw new Error('a stop came too late');
        if (type !== 'session-ledger.SessionEnded.v1') continue;
        expect(data).toMatchObject({ forced: true, operator: 'anonymous' });
        ended.push((data.session as SessionView).sessionId);
      }
      after = page.next;
    }
  }
  expect([ended.length, new Set(ended).size]).toEqual([count, count]);
  expect(ended).not.toContain(spared.sessionId);
  expect(replica.process.errors).toEqual([]);
}, 120_000);

test('who waits for a job holds up no stop of the service', async () => {
  const replica = await startService();
  const jobId = randomUUID();
  // Somebody else works on it and does not come to an end.
  await execute(
    replica.databaseUrl,
    `insert into ledger.jobs (id, tenant, principal, action, reason, user_id, leased_until)
     values ('${jobId}', 'default', 'anonymous', 'end', 'r', 'ada', 'infinity')`,
  );
  const path = `${replica.url}/v1/bulk/${jobId}?wait=60`;
  const waiting = Array.from({ length: 5 }, () => askAddress<JobBody>(path));
  const waiters = async () => (await askAddress(`${replica.url}/metrics`)).text;
  while (!(await waiters()).includes('\nledger_waiters 5\n')) await pause(5);
  const began = performance.now();
  expect(await replica.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const { body } of await Promise.all(waiting)) expect(body).toMatchObject({ jobId, state: 'open' });
});
