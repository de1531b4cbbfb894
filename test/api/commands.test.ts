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

const start = (userId: string, more: object = {}) =>
  ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, ...more } });
const started = async (more: object = {}) => (await start(newUser(), more)).body.session;
const to = (sessionId: string, action: string, body: object) =>
  ask<CommandBody>(`/v1/sessions/${sessionId}/${action}`, { body });
const refused = async (sessionId: string, action: string, body: object) =>
  refusal(await ask<ProblemBody>(`/v1/sessions/${sessionId}/${action}`, { body }));
const end = (epoch: number, origin: object = cloudDev) => ({ epoch, origin, reason: 'user stopped' });

describe('start', () => {
  test('answers 201 with the session, and where its event stands', async () => {
    const userId = newUser();
    const { status, headers, body } = await start(userId, { projectId: 'captions' });
    expect(status).toBe(201);
    expect(headers.get('ledger-position')).toBe(`${body.position.partition}:${body.position.sequence}`);
    expect(body).toMatchObject({
      outcome: 'started',
      session: {
        scope: { userId, projectId: 'captions' },
        status: 'active',
        epoch: 1,
        revision: 1,
        owner: cloudDev,
        chainLength: 1,
        attributes: {},
      },
    });
    expect(body.session.rootId).toBe(body.session.sessionId);
  });

  test('supersedes the current session unless told otherwise', async () => {
    const userId = newUser();
    const first = (await start(userId)).body.session;
    const second = (await start(userId, { owner: cloudDebug })).body.session;
    expect(second.sessionId).not.toBe(first.sessionId);
    expect(second.epoch).toBe(first.epoch + 1);
    const old = await ask(`/v1/sessions/${first.sessionId}`);
    expect(old.body).toMatchObject({ endCause: 'superseded', successorId: second.sessionId });
  });

  test('joins the current session, and claims a released one', async () => {
    const userId = newUser();
    const first = (await start(userId)).body.session;
    const joined = await start(userId, { owner: cloudDebug, onConflict: 'join' });
    expect(joined).toMatchObject({ status: 200, body: { outcome: 'joined', session: first } });
    await to(first.sessionId, 'release', { epoch: 1 });
    const claimed = await start(userId, { owner: cloudDebug, onConflict: 'join' });
    expect(claimed).toMatchObject({
      status: 200,
      body: { outcome: 'claimed', session: { sessionId: first.sessionId, epoch: 3, owner: cloudDebug } },
    });
  });

  test('is refused with the current session: reject, another epoch, reserved', async () => {
    const userId = newUser();
    const { sessionId } = (await start(userId)).body.session;
    const again = async (more: object) =>
      refusal(await ask<ProblemBody>('/v1/sessions', { body: { userId, owner: cloudDebug, ...more } }));
    const conflict = (code: string) => ({ status: 409, type: `/problems/${code}`, current: sessionId });
    expect(await again({ onConflict: 'reject' })).toEqual(conflict('session-active'));
    expect(await again({ expectedEpoch: 0 })).toEqual(conflict('stale-epoch'));
    expect(await again({ expectedEpoch: 9 })).toEqual(conflict('future-epoch'));
    await to(sessionId, 'release', { epoch: 1, to: cloudDev });
    expect(await again({ onConflict: 'join' })).toEqual(conflict('reserved'));
  });

  test('keeps attributes and shows them', async () => {
    const attributes = { project: { name: 'site', ключ: ['🎈', 1.5, null, true] }, constructor: 'mine' };
    const { status, body } = await start(newUser(), { attributes });
    expect([status, body.session.attributes]).toEqual([201, attributes]);
    const { userId } = body.session.scope;
    expect((await ask(`/v1/current?userId=${userId}`)).body.attributes).toEqual(attributes);
    expect((await ask(`/v1/sessions/${body.session.sessionId}`)).body.attributes).toEqual(attributes);
  });
});

describe('activate', () => {
  test('confirms a starting session, once', async () => {
    const { sessionId, status } = await started({ phase: 'starting' });
    expect(status).toBe('starting');
    const body = { epoch: 1, owner: cloudDev };
    expect((await to(sessionId, 'activate', body)).body).toMatchObject({
      outcome: 'activated',
      session: { status: 'active', epoch: 1, revision: 2 },
    });
    expect((await to(sessionId, 'activate', body)).body.outcome).toBe('unchanged');
  });
});

describe('rotate', () => {
  const successorHandle = { kind: 'agent', value: 'def456' };

  test('makes the successor current, and gives the same one when asked again with its handle', async () => {
    const first = await started({ attributes: { site: 1 } });
    const body = { epoch: 1, reason: 'build', versionId: 'v1', successorHandle };
    const { body: rotated } = await to(first.sessionId, 'rotate', body);
    expect(rotated).toMatchObject({
      outcome: 'rotated',
      session: {
        parentId: first.sessionId,
        rootId: first.sessionId,
        chainLength: 2,
        epoch: 2,
        reason: 'build',
        versionId: 'v1',
        attributes: { site: 1 },
      },
    });
    const again = await to(first.sessionId, 'rotate', body);
    expect([again.status, again.body.outcome]).toEqual([200, 'already-rotated']);
    expect(again.body.session.sessionId).toBe(rotated.session.sessionId);
  });

  test('the late one is told who won', async () => {
    const { sessionId } = await started();
    const winner = (await to(sessionId, 'rotate', { epoch: 1, reason: 'build' })).body.session;
    expect(await refused(sessionId, 'rotate', { epoch: 1, reason: 'metadata_generation' })).toEqual({
      status: 409,
      type: '/problems/stale-session',
      current: winner.sessionId,
    });
  });

  test('needs an active session', async () => {
    const { sessionId } = await started({ phase: 'starting' });
    const late = await refused(sessionId, 'rotate', { epoch: 1, reason: 'build' });
    expect(late.type).toBe('/problems/session-not-active');
  });
});

describe('release and claim', () => {
  test('a reserved session is for the one it is meant for', async () => {
    const { sessionId } = await started();
    const { body } = await to(sessionId, 'release', { epoch: 1, to: cloudDebug, reservedSeconds: 30 });
    expect(body).toMatchObject({
      outcome: 'released',
      session: { status: 'released', epoch: 2, reservedFor: cloudDebug, previousOwner: cloudDev },
    });
    const third = { epoch: 2, owner: { environment: 'cloud-prod' } };
    const { status, body: problem } = await ask<ProblemBody>(`/v1/sessions/${sessionId}/claim`, {
      body: third,
    });
    expect([status, problem.type]).toEqual([409, '/problems/reserved']);
    expect(problem.until).toBe(body.session.reservedUntil);
    const claimed = await to(sessionId, 'claim', { epoch: 2, owner: cloudDebug });
    expect(claimed.body).toMatchObject({ outcome: 'claimed', session: { epoch: 3, owner: cloudDebug } });
    expect((await to(sessionId, 'claim', { epoch: 3, owner: cloudDebug })).body.outcome).toBe('unchanged');
    expect((await refused(sessionId, 'claim', { epoch: 3, owner: cloudDev })).type).toBe(
      '/problems/not-owner',
    );
  });

  test('a release again is no other release', async () => {
    const { sessionId } = await started();
    await to(sessionId, 'release', { epoch: 1, owner: cloudDev });
    const again = await to(sessionId, 'release', { epoch: 1, owner: cloudDev });
    expect([again.status, again.body.outcome, again.body.session.epoch]).toEqual([200, 'unchanged', 2]);
  });

  test('who does not own it cannot release it', async () => {
    const { sessionId } = await started();
    expect(await refused(sessionId, 'release', { epoch: 1, owner: cloudDebug })).toEqual({
      status: 409,
      type: '/problems/not-owner',
      current: sessionId,
    });
  });
});

describe('end', () => {
  test('ends the session, and says so again to the same stop', async () => {
    const { sessionId } = await started();
    const { body } = await to(sessionId, 'end', end(1));
    expect(body).toMatchObject({
      outcome: 'ended',
      session: { status: 'ended', endCause: 'ended', endReason: 'user stopped', epoch: 2, endedBy: cloudDev },
    });
    const again = await to(sessionId, 'end', end(1));
    expect([again.status, again.body.outcome]).toEqual([200, 'already-ended']);
  });

  test('a stale stop changes nothing, names the current session, and is recorded once with its count', async () => {
    const userId = newUser();
    const old = (await start(userId)).body.session;
    const current = (await start(userId, { owner: cloudDebug })).body.session;
    for (let times = 0; times < 3; times++) {
      expect(await refused(old.sessionId, 'end', end(1))).toEqual({
        status: 409,
        type: '/problems/stale-session',
        current: current.sessionId,
      });
    }
    expect((await ask(`/v1/current?userId=${userId}`)).body).toEqual(current);
    const { body } = await ask<{ events: object[] }>(`/v1/events?userId=${userId}`);
    expect(body.events).toHaveLength(4); // started, superseded, started, ignored
    expect(body.events.at(-1)).toMatchObject({
      type: 'session-ledger.StopIgnored.v1',
      ignoredstops: 3,
      data: { sessionId: old.sessionId, origin: cloudDev, epoch: 1, why: 'superseded' },
    });
  });

  test('with another epoch, by another owner, or when nothing is current', async () => {
    const { sessionId } = await started();
    const problem = (code: string, current?: string) => ({ status: 409, type: `/problems/${code}`, current });
    expect(await refused(sessionId, 'end', end(9))).toEqual(problem('future-epoch', sessionId));
    expect(await refused(sessionId, 'end', end(0))).toEqual(problem('stale-epoch', sessionId));
    expect(await refused(sessionId, 'end', end(1, cloudDebug))).toEqual(problem('not-owner', sessionId));
    await to(sessionId, 'end', end(1));
    expect(await refused(sessionId, 'end', end(1, cloudDebug))).toEqual(problem('session-ended'));
    expect(await refused(sessionId, 'claim', { epoch: 2, owner: cloudDebug })).toEqual(
      problem('session-ended'),
    );
  });

  test('of a session that nobody knows: 404', async () => {
    const { sessionId } = await started();
    const unknown = `${sessionId.slice(0, -4)}0000`;
    expect(await refused(unknown, 'end', end(1))).toEqual({ status: 404, type: '/problems/unknown-session' });
  });
});

describe('Idempotency-Key', () => {
  const keyed = (key: string, path: string, body: object) =>
    ask<CommandBody>(path, { body, headers: { 'idempotency-key': key } });

  test('repeating a request gives its first answer and does nothing', async () => {
    const body = { userId: newUser(), owner: cloudDev, attributes: { a: 1 } };
    const first = await keyed('k1', '/v1/sessions', body);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const again = await keyed('k1', '/v1/sessions', body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('ledger-position')).toBe(first.headers.get('ledger-position'));
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect((await ask(`/v1/current?userId=${body.userId}`)).body).toEqual(first.body.session);
  });

  test('also of a rotation that others have followed', async () => {
    const { sessionId } = await started();
    const path = `/v1/sessions/${sessionId}/rotate`;
    const first = await keyed('k2', path, { epoch: 1, reason: 'build' });
    const followed = await to(first.body.session.sessionId, 'rotate', { epoch: 2, reason: 'compact' });
    const { body } = await keyed('k2', path, { epoch: 1, reason: 'build' });
    expect(body).toEqual({ ...first.body, current: followed.body.session });
  });

  test('with another body is refused; with another scope it is another key', async () => {
    const body = { userId: newUser(), owner: cloudDev };
    await keyed('k3', '/v1/sessions', body);
    const other = await keyed('k3', '/v1/sessions', { ...body, owner: cloudDebug });
    expect([other.status, other.body]).toMatchObject([422, { type: '/problems/key-reused' }]);
    expect((await keyed('k3', '/v1/sessions', { ...body, userId: newUser() })).status).toBe(201);
  });
});
