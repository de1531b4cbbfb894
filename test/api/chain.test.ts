import { randomUUID } from 'node:crypto';
import type { SessionView } from '#api/schemas';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
  refusal,
} from '../support/sessions.js';

// Usage, limits, recovery and checkpoints over HTTP; every answer is held against /openapi.json.
let ask: DescribedAsk;
beforeAll(async () => {
  ask = await describedBy((await startService()).url);
});

const startFor = (userId: string, more: object = {}) =>
  ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, ...more } });
const started = async (more: object = {}) => (await startFor(newUser(), more)).body.session;
const to = <Body = CommandBody>(sessionId: string, action: string, body: object, key?: string) =>
  ask<Body>(`/v1/sessions/${sessionId}/${action}`, { body, headers: key ? { 'idempotency-key': key } : {} });
const refused = async (sessionId: string, action: string, body: object) =>
  refusal(await to<ProblemBody>(sessionId, action, body));
const rotated = async ({ sessionId, epoch }: SessionView, more: object = {}) =>
  (await to(sessionId, 'rotate', { epoch, reason: 'build', ...more })).body.session;
const seen = async (sessionId: string) => (await ask<SessionView>(`/v1/sessions/${sessionId}`)).body;
const currentOf = (userId: string) => ask<SessionView>(`/v1/current?userId=${userId}`);
const typesOf = async (userId: string) => {
  const { body } = await ask<EventsBody>(`/v1/events?userId=${userId}`);
  return body.events.map(({ type }) => type.split('.')[1]);
};

const usage = {
  inputTokens: 1_200,
  outputTokens: 350,
  cachedTokens: 800,
  durationMs: 4_200,
  cost: { amount: '0.0125', currency: 'EUR' },
  model: 'opus-4',
};
const { model: _, cost: __, ...counts } = usage;
const totals = { operations: 1, ...counts, cost: { EUR: '0.0125' } };

describe('usage', () => {
  test('is added to the session, and readers see it by a new revision', async () => {
    const { sessionId, scope } = await started();
    const before = await currentOf(scope.userId);
    const { body } = await to(sessionId, 'usage', { usage });
    expect(body).toMatchObject({
      outcome: 'recorded',
      session: { sessionId, epoch: 1, revision: 2, usage: totals },
    });
    const after = await currentOf(scope.userId);
    expect(after.body).toEqual(body.session);
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
  });

  test('comes late for a session that has ended, and changes nothing that is current', async () => {
    const first = await started();
    const second = await rotated(first, { usage });
    const current = await currentOf(first.scope.userId);
    const late = await to(first.sessionId, 'usage', {
      usage: { cost: { amount: '0.0075', currency: 'EUR' } },
    });
    expect(late.body).toMatchObject({
      outcome: 'recorded',
      session: {
        sessionId: first.sessionId,
        endCause: 'rotated',
        usage: { operations: 2, cost: { EUR: '0.02' } },
      },
      current: { sessionId: second.sessionId },
    });
    expect(await seen(first.sessionId)).toMatchObject(late.body.session);
    expect((await currentOf(first.scope.userId)).headers.get('etag')).toBe(current.headers.get('etag'));
    expect(await typesOf(first.scope.userId)).toEqual([
      'SessionStarted',
      'UsageRecorded',
      'SessionRotated',
      'UsageRecorded',
    ]);
  });

  test('counts once under an Idempotency-Key, however often and from wherever it is sent', async () => {
    const { sessionId } = await started();
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => to(sessionId, 'usage', { usage }, key)),
    );
    for (const { status, body } of answers) expect([status, body]).toEqual([200, answers[0]!.body]);
    expect(answers.filter(({ headers }) => headers.has('idempotency-replayed'))).toHaveLength(19);
    expect(await seen(sessionId)).toMatchObject({ usage: totals });
    const other = await to<ProblemBody>(sessionId, 'usage', { usage: { inputTokens: 1 } }, key);
    expect(other).toMatchObject({ status: 422, body: { type: '/problems/key-reused' } });
  });

  test('is refused when its sums would be too large, also as part of a rotation', async () => {
    const { sessionId } = await started();
    await to(sessionId, 'usage', { usage: { inputTokens: Number.MAX_SAFE_INTEGER } });
    const conflict = { status: 409, type: '/problems/usage-overflow', current: sessionId };
    expect(await refused(sessionId, 'usage', { usage })).toEqual(conflict);
    expect(await refused(sessionId, 'rotate', { epoch: 1, reason: 'build', usage })).toEqual(conflict);
    expect(await seen(sessionId)).toMatchObject({ status: 'active', usage: { operations: 1 } });
  });

  test('of a ninth currency is refused', async () => {
    const { sessionId } = await started();
    const inCurrency = (currency: string) => ({ usage: { cost: { amount: '1', currency } } });
    for (const letter of 'ABCDEFGH') await to(sessionId, 'usage', inCurrency(`XX${letter}`));
    expect(await refused(sessionId, 'usage', inCurrency('EUR'))).toEqual({
      status: 409,
      type: '/problems/too-many-currencies',
      current: sessionId,
    });
  });
});

describe('a policy', () => {
  test('advises a reset, refuses a longer chain, and lets a reset start another one', async () => {
    const first = await started({ policy: { maxChainLength: 3, adviseAt: 2 } });
    expect(first).not.toHaveProperty('resetAdvised');
    const second = await rotated(first);
    expect(second).toMatchObject({ chainLength: 2, resetAdvised: true });
    const third = await rotated(second);
    const beyond = await to<ProblemBody>(third.sessionId, 'rotate', { epoch: 3, reason: 'build' });
    expect(beyond).toMatchObject({
      status: 409,
      body: {
        type: '/problems/chain-too-long',
        detail: expect.stringContaining('reset'),
        current: { sessionId: third.sessionId, resetAdvised: true },
      },
    });
    const fresh = await rotated(third, { reason: 'reset' });
    expect(fresh).toMatchObject({
      chainLength: 1,
      rootId: fresh.sessionId,
      previousRootId: first.sessionId,
      policy: first.policy,
      owner: cloudDev,
    });
    expect(fresh).not.toHaveProperty('parentId');
    expect(await seen(third.sessionId)).toMatchObject({ endCause: 'reset', successorId: fresh.sessionId });
    expect((await currentOf(first.scope.userId)).body).toEqual(fresh);
  });
});

describe('invalid', () => {
  const definite = { certainty: 'definite', reason: 'context lost' };

  test('goes on from the latest valid session, and says the same when asked again', async () => {
    const first = await started({ attributes: { site: 'one' } });
    const second = await rotated(first);
    const body = { epoch: second.epoch, owner: cloudDev, ...definite };
    const { status, body: answer } = await to(second.sessionId, 'invalid', body);
    expect([status, answer]).toMatchObject([
      200,
      {
        outcome: 'recovered',
        session: {
          recoveredFrom: first.sessionId,
          parentId: second.sessionId,
          rootId: first.sessionId,
          chainLength: 3,
          epoch: 3,
          attributes: { site: 'one' },
        },
      },
    ]);
    expect((await to(second.sessionId, 'invalid', body)).body).toMatchObject({
      outcome: 'already-recovered',
      session: answer.session,
    });
    expect(await seen(second.sessionId)).toMatchObject({
      endCause: 'invalid',
      invalid: { reason: 'context lost' },
      successorId: answer.session.sessionId,
    });
    expect((await currentOf(first.scope.userId)).body).toEqual(answer.session);
  });

  test('starts fresh when it is told to, or when there is nothing to go back to', async () => {
    const first = await started();
    const alone = (await to(first.sessionId, 'invalid', { epoch: 1, ...definite })).body;
    expect(alone).toMatchObject({
      outcome: 'started-fresh',
      session: { chainLength: 1, previousRootId: first.sessionId },
    });
    expect(alone.session).not.toHaveProperty('recoveredFrom');
    const second = await rotated(alone.session);
    const body = { epoch: second.epoch, ...definite, fallback: 'start-fresh' };
    expect((await to(second.sessionId, 'invalid', body)).body).toMatchObject({ outcome: 'started-fresh' });
  });

  test('marks a session that has ended', async () => {
    const first = await started();
    const second = await rotated(first);
    expect((await to(first.sessionId, 'invalid', { epoch: 1, ...definite })).body).toMatchObject({
      outcome: 'marked-invalid',
      session: { sessionId: first.sessionId, endCause: 'rotated', invalid: { reason: 'context lost' } },
      current: { sessionId: second.sessionId, epoch: 2 },
    });
    expect((await to(first.sessionId, 'invalid', { epoch: 1, ...definite })).body.outcome).toBe('unchanged');
    expect((await to(second.sessionId, 'invalid', { epoch: 2, ...definite })).body.outcome).toBe(
      'started-fresh',
    );
  });

  test('discards nothing when the failure may pass, and says when to try again', async () => {
    const { sessionId, scope, ...rest } = await started();
    const body = { epoch: 1, certainty: 'transient', reason: 'overloaded' };
    for (let times = 0; times < 3; times++) {
      const { headers, body: answer } = await to(sessionId, 'invalid', body);
      expect(answer).toMatchObject({ outcome: 'reported', retryAfter: 5, session: { sessionId, ...rest } });
      expect(headers.get('retry-after')).toBe('5');
    }
    expect(await typesOf(scope.userId)).toEqual(['SessionStarted', 'InvalidReported']);
  });

  test('is refused under another epoch, and by another owner', async () => {
    const { sessionId } = await started();
    const conflict = (code: string) => ({ status: 409, type: `/problems/${code}`, current: sessionId });
    expect(await refused(sessionId, 'invalid', { epoch: 0, ...definite })).toEqual(conflict('stale-epoch'));
    expect(await refused(sessionId, 'invalid', { epoch: 9, ...definite })).toEqual(conflict('future-epoch'));
    const owner = { environment: 'cloud-other' };
    expect(await refused(sessionId, 'invalid', { epoch: 1, owner, ...definite })).toEqual(
      conflict('not-owner'),
    );
  });
});

describe('checkpoints', () => {
  test('are marked, listed, and started from', async () => {
    const first = await started();
    const { userId } = first.scope;
    const marked = await to(first.sessionId, 'checkpoints', { label: 'v1: first draft' });
    expect(marked.body).toMatchObject({ outcome: 'marked', session: first });
    expect((await to(first.sessionId, 'checkpoints', { label: 'v1: first draft' })).body.outcome).toBe(
      'unchanged',
    );
    const second = await rotated(first);
    await to(second.sessionId, 'checkpoints', { label: 'v2' });
    const { body } = await ask(`/v1/checkpoints?userId=${userId}`);
    expect(body).toEqual({
      checkpoints: [
        { label: 'v1: first draft', sessionId: first.sessionId, markedAt: expect.any(String) },
        { label: 'v2', sessionId: second.sessionId, markedAt: expect.any(String) },
      ],
    });
    const again = (await startFor(userId, { fromCheckpoint: 'v1: first draft' })).body.session;
    expect(again).toMatchObject({
      recoveredFrom: first.sessionId,
      fromCheckpoint: 'v1: first draft',
      previousRootId: first.sessionId,
      chainLength: 1,
    });
  });

  test('belong to one session of one scope', async () => {
    const first = await started();
    const second = await rotated(first);
    await to(first.sessionId, 'checkpoints', { label: 'v1' });
    const taken = { status: 409, type: '/problems/checkpoint-taken', current: second.sessionId };
    expect(await refused(second.sessionId, 'checkpoints', { label: 'v1' })).toEqual(taken);
    const other = await startFor(newUser(), { fromCheckpoint: 'v1' });
    expect(other).toMatchObject({ status: 404, body: { type: '/problems/unknown-checkpoint' } });
    expect((await ask(`/v1/checkpoints?userId=${newUser()}`)).body).toEqual({ checkpoints: [] });
  });

  test('of an invalid session are neither marked nor started from', async () => {
    const first = await started();
    await to(first.sessionId, 'checkpoints', { label: 'v1' });
    const body = { epoch: 1, certainty: 'definite', reason: 'context lost' };
    const { sessionId } = (await to(first.sessionId, 'invalid', body)).body.session;
    const invalid = { status: 409, type: '/problems/session-invalid', current: sessionId };
    expect(await refused(first.sessionId, 'checkpoints', { label: 'v2' })).toEqual(invalid);
    const again = await ask<ProblemBody>('/v1/sessions', {
      body: { userId: first.scope.userId, owner: cloudDev, fromCheckpoint: 'v1' },
    });
    expect(refusal(again)).toEqual(invalid);
  });
});

test('a session that nobody knows is unknown to all of them', async () => {
  const stranger = '01920000-0000-7003-8000-000000000000';
  const unknown = { status: 404, type: '/problems/unknown-session' };
  const invalid = { epoch: 1, certainty: 'definite', reason: 'lost' };
  expect(await refused(stranger, 'usage', { usage })).toEqual(unknown);
  expect(await refused(stranger, 'checkpoints', { label: 'v1' })).toEqual(unknown);
  expect(await refused(stranger, 'invalid', invalid)).toEqual(unknown);
});
