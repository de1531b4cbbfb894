import pg from 'pg';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { contains, startProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser, type ProblemBody } from '../support/sessions.js';

// What a command is answered with comes from its own transaction: nothing is read after the commit, so nothing
// that happens to Postgres then can turn "obeyed" into "not obeyed".

let service: Service;
let ask: DescribedAsk;
beforeAll(async () => {
  service = await startService();
  ask = await describedBy(service.url);
});

const attributes = { cwd: '/srv/app' };
const start = async (userId: string, more: object = {}, headers = {}) =>
  ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, attributes, ...more }, headers });
const to = <Body = CommandBody>(sessionId: string, action: string, body: object, headers = {}) =>
  ask<Body>(`/v1/sessions/${sessionId}/${action}`, { body, headers });
const patch = (sessionId: string, body: object) =>
  ask<CommandBody>(`/v1/sessions/${sessionId}/attributes`, { method: 'PATCH', body });
const types = async (userId: string) =>
  (await ask<{ events: { type: string }[] }>(`/v1/events?userId=${userId}`)).body.events.map(
    ({ type }) => type.split('.')[1],
  );

/** Runs `during` while nobody else can use a table at all. */
async function whileLocked<T>(table: string, during: () => Promise<T>): Promise<T> {
  const holder = new pg.Client({ connectionString: service.databaseUrl });
  await holder.connect();
  try {
    await holder.query(`begin; lock table ledger.${table} in access exclusive mode`);
    return await during();
  } finally {
    await holder.end();
  }
}

test('a command that is answered "not obeyed" because a table is locked has left nothing', async () => {
  const userId = newUser();
  const { session } = (await start(userId)).body;
  const release = () => to(session.sessionId, 'release', { epoch: 1 });
  const refused = await whileLocked('details', release);
  expect(refused).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
  expect(await types(userId)).toEqual(['SessionStarted']);
  expect(await release()).toMatchObject({
    status: 200,
    body: { outcome: 'released', session: { attributes } },
  });
});

test('a command shows attributes that it did not bring, also a past session that is over', async () => {
  const userId = newUser();
  const { session: first } = (await start(userId)).body;
  const { session: second } = (await start(userId, { owner: cloudDebug, attributes: { cwd: '/srv/b' } }))
    .body;
  const stop = { epoch: 2, origin: cloudDebug, reason: 'done' };
  const stale = await to<ProblemBody>(first.sessionId, 'end', { ...stop, epoch: 1, origin: cloudDev });
  expect(stale).toMatchObject({ status: 409, body: { current: { attributes: { cwd: '/srv/b' } } } });
  const refused = await start(userId, { expectedEpoch: 1, attributes: { cwd: '/srv/c' } });
  expect(refused).toMatchObject({ status: 409, body: { current: { attributes: { cwd: '/srv/b' } } } });
  const joined = await start(userId, { onConflict: 'join', attributes: { cwd: '/srv/c' } });
  expect(joined.body).toMatchObject({ outcome: 'joined', session: { attributes: { cwd: '/srv/b' } } });
  const late = await to(first.sessionId, 'usage', { usage: { inputTokens: 1 } });
  expect(late.body).toMatchObject({ session: { sessionId: first.sessionId, attributes } });
  const rotated = await to(second.sessionId, 'rotate', { epoch: 2, reason: 'compacted' });
  expect(rotated.body).toMatchObject({ outcome: 'rotated', session: { attributes: { cwd: '/srv/b' } } });
  const { sessionId } = rotated.body.session;
  await to(sessionId, 'end', { ...stop, epoch: 3 });
  expect((await to(sessionId, 'end', { ...stop, epoch: 3 })).body).toMatchObject({
    outcome: 'already-ended',
    session: { attributes: { cwd: '/srv/b' } },
  });
});

test('a replay shows the attributes that its session had then, and "erased" once they are', async () => {
  const userId = newUser();
  const key = { 'idempotency-key': 'once' };
  const { session } = (await start(userId, {}, key)).body;
  await patch(session.sessionId, { epoch: 1, attributes: { cwd: '/srv/c' } });
  const replay = () => start(userId, {}, key);
  expect(await replay()).toMatchObject({ status: 201, body: { session: { attributes } } });
  expect((await replay()).headers.get('idempotency-replayed')).toBe('true');
  await ask(`/v1/details?userId=${userId}`, { method: 'DELETE' });
  expect((await replay()).body).toMatchObject({ session: { attributes: 'erased' } });
});

test('what was obeyed is shown although no details can be read any more', async () => {
  const url = await freshDatabase();
  const { hostname: host, port } = new URL(url);
  const proxy = await startProxy({ target: { host, port: Number(port) } });
  const behind = await describedBy((await startService({ databaseUrl: proxy.reroute(url) })).url);
  const userId = newUser();
  const { session } = (
    await behind<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, attributes } })
  ).body;
  proxy.dropNextReplies(1_000, contains('read_details'));
  const read = await behind<ProblemBody>(`/v1/sessions/${session.sessionId}`);
  expect([read.status, read.body.type]).toEqual([503, '/problems/unavailable']); // so the fault is there
  const rotated = await behind<CommandBody>(`/v1/sessions/${session.sessionId}/rotate`, {
    body: { epoch: 1, reason: 'build' },
  });
  expect(rotated).toMatchObject({ status: 200, body: { outcome: 'rotated', session: { attributes } } });
  await proxy.close();
});

describe('what was done and whose answer from Postgres was lost is never said not to be done', () => {
  interface Lost {
    /** Of the request to Postgres whose answer is lost. */
    of(request: Buffer): boolean;
    asked(userId: string, sessionId: string): [path: string, body: unknown];
  }
  const lost: Record<string, Lost> = {
    'a renewal': {
      of: contains('renew_leases'),
      asked: (_, sessionId) => [`/v1/sessions/${sessionId}/renew`, { epoch: 1 }],
    },
    'a list of renewals': {
      of: contains('renew_leases'),
      asked: (_, sessionId) => ['/v1/leases/renew', [{ sessionId, epoch: 1 }]],
    },
    'a report': {
      of: contains('save_reports'),
      asked: (userId, sessionId) => ['/v1/reports', [{ consumer: 'app', userId, sessionId }]],
    },
    'an order of many': {
      of: (request) => request[0] === 'Q'.charCodeAt(0) && contains('commit')(request),
      asked: (userId) => ['/v1/bulk', { select: { userId }, action: 'end', reason: 'left' }],
    },
  };
  test.each(Object.entries(lost))('%s', async (_, { of, asked }) => {
    const url = await freshDatabase();
    const { hostname: host, port } = new URL(url);
    const proxy = await startProxy({ target: { host, port: Number(port) } });
    const behind = await describedBy((await startService({ databaseUrl: proxy.reroute(url) })).url);
    const userId = newUser();
    const body = { userId, owner: cloudDev, lease: { seconds: 600 } };
    const { sessionId } = (await behind<CommandBody>('/v1/sessions', { body })).body.session;
    const [path, sent] = asked(userId, sessionId);
    proxy.dropNextReplies(1, of);
    const told = await behind<ProblemBody>(path, { body: sent });
    expect(proxy.swallowed()).toBe(1);
    expect([told.status, told.body.type]).toEqual([503, '/problems/unknown-outcome']);
    expect((await behind(path, { body: sent })).status).toBeLessThan(300);
    await proxy.close();
  });

  test('an erasure that breaks off tells what it has erased, and that more is left', async () => {
    const userId = newUser();
    for (let project = 0; project < 60; project++) await start(userId, { projectId: `p${project}` });
    const holder = new pg.Client({ connectionString: service.databaseUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from ledger.heads where partition = 15 for update');
    type Erased = { erased: { position: { partition: number } }[]; complete: boolean };
    const erase = () => ask<Erased>(`/v1/details?userId=${userId}`, { method: 'DELETE' });
    const first = await erase();
    await holder.end();
    const partitions = (body: Erased) => body.erased.map(({ position }) => position.partition);
    if (first.status === 200)
      expect([first.body.complete, partitions(first.body)]).toEqual([
        false,
        expect.not.arrayContaining([15]),
      ]);
    else expect(first.status).toBe(503);
    const rest = await erase();
    expect(rest.body.complete).toBe(true);
    const erased = (first.status === 200 ? first.body.erased.length : 0) + rest.body.erased.length;
    expect(erased).toBe(60);
  }, 60_000);
});
