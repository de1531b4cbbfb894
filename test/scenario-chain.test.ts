import type { SessionView } from '#contracts';
import { ask } from './support/http.js';
import { type Service, startService } from './support/service.js';
import {
  type CommandBody,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
} from './support/sessions.js';

// A site builder whose AI tool answers every operation with a new session. Scenario 4, all but "concurrent".
const projectId = 'site.example/home';
let service: Service;
let userId: string;
beforeAll(async () => {
  service = await startService();
});
beforeEach(() => {
  userId = newUser();
});

const scope = () => `userId=${userId}&projectId=${encodeURIComponent(projectId)}`;
const current = async () => (await ask<SessionView>(`${service.url}/v1/current?${scope()}`)).body;
const events = async () => (await ask<EventsBody>(`${service.url}/v1/events?${scope()}`)).body.events;
const start = async () => {
  const body = { userId, projectId, owner: cloudDev };
  return (await ask<CommandBody>(`${service.url}/v1/sessions`, { body })).body.session;
};
const to = <Body = CommandBody>(sessionId: string, action: string, body: object) =>
  ask<Body>(`${service.url}/v1/sessions/${sessionId}/${action}`, { body });

/** What the AI tool calls a session: another name for every project. */
const agentSession = (named: string) => ({ kind: 'agent', value: `${userId} ${named}` });

/** What a service does when an operation has given a new session: it tells of it, with what the operation used. */
async function rotate(known: SessionView, reason: string, named: string, more: object = {}) {
  const cost = { amount: '0.01', currency: 'EUR' };
  const { status, body } = await to(known.sessionId, 'rotate', {
    epoch: known.epoch,
    reason,
    successorHandle: agentSession(named),
    usage: { inputTokens: 100, cost },
    ...more,
  });
  expect([status, body.outcome]).toEqual([200, 'rotated']);
  return body.session;
}

test('build → metadata → compact: the last of them is current at every step, each version has its own', async () => {
  const first = await start();
  const build = await rotate(first, 'build', 'def456', { versionId: 'v1' });
  expect(await current()).toEqual(build);
  const metadata = await rotate(build, 'metadata_generation', 'ghi789');
  expect(await current()).toEqual(metadata);
  const compacted = await rotate(metadata, 'compact', 'jkl012', { versionId: 'v2' });
  expect(await current()).toEqual(compacted);
  expect(compacted).toMatchObject({ rootId: first.sessionId, chainLength: 4, reason: 'compact' });

  const rotations = (await events()).flatMap(({ type, data }) =>
    type === 'session-ledger.SessionRotated.v1' ? [data as Record<'previous' | 'session', SessionView>] : [],
  );
  const transitions = rotations.map(({ previous, session }) => [
    previous.sessionId,
    session.sessionId,
    session.reason,
    session.versionId,
    previous.usage?.cost,
  ]);
  expect(transitions).toEqual([
    [first.sessionId, build.sessionId, 'build', 'v1', { EUR: '0.01' }],
    [build.sessionId, metadata.sessionId, 'metadata_generation', undefined, { EUR: '0.01' }],
    [metadata.sessionId, compacted.sessionId, 'compact', 'v2', { EUR: '0.01' }],
  ]);
});

test('build → update → chat plan: the plan gets the session of the update, whatever its caller remembered', async () => {
  const build = await rotate(await start(), 'build', 'def456', { versionId: 'v1' });
  const update = await rotate(build, 'build', 'ghi789', { versionId: 'v2' });
  // The chat service still has the build's session: it is refused, told of the update's, and goes on from there.
  const late = { epoch: build.epoch, reason: 'chat_plan', successorHandle: agentSession('plan') };
  const refused = await to<ProblemBody>(build.sessionId, 'rotate', late);
  expect([refused.status, refused.body.type]).toEqual([409, '/problems/stale-session']);
  expect(refused.body.current).toEqual(update);
  const plan = await rotate(refused.body.current as SessionView, 'chat_plan', 'plan');
  expect(plan).toMatchObject({ parentId: update.sessionId, chainLength: 4 });
  expect(await current()).toEqual(plan);
});

test('error recovery: a build fails for good, its session is left, and the next rotation continues the valid one', async () => {
  const good = await rotate(await start(), 'build', 'def456');
  const broken = await rotate(good, 'build', 'ghi789');
  const failure = (certainty: string, reason: string) => ({
    epoch: broken.epoch,
    owner: cloudDev,
    certainty,
    reason,
  });

  // First it only seems to fail: nothing is discarded.
  const transient = await to(broken.sessionId, 'invalid', failure('transient', 'overloaded'));
  expect(transient.body).toMatchObject({ outcome: 'reported', retryAfter: 5 });
  expect(await current()).toEqual(broken);

  // Then for good; two workers say so, the ledger is killed in between, and both get the same session.
  const recovered = await to(broken.sessionId, 'invalid', failure('definite', 'context lost'));
  expect(recovered.body).toMatchObject({
    outcome: 'recovered',
    session: { recoveredFrom: good.sessionId, parentId: broken.sessionId, owner: cloudDev },
  });
  await service.restart();
  const again = await to(broken.sessionId, 'invalid', failure('definite', 'context lost'));
  expect(again.body).toMatchObject({ outcome: 'already-recovered', session: recovered.body.session });
  expect(await current()).toEqual(recovered.body.session);

  const next = await rotate(recovered.body.session, 'build', 'jkl012');
  expect(next).toMatchObject({ parentId: recovered.body.session.sessionId, rootId: good.rootId });
  // What the failed build still reports is not lost, and changes nothing.
  const late = await to(broken.sessionId, 'usage', { usage: { outputTokens: 7 } });
  expect(late.body).toMatchObject({ outcome: 'recorded', session: { endCause: 'invalid' } });
  expect(await current()).toEqual(next);
  expect((await events()).map(({ type }) => type.split('.')[1])).toEqual([
    'SessionStarted',
    ...['UsageRecorded', 'SessionRotated', 'UsageRecorded', 'SessionRotated'],
    'InvalidReported',
    ...['SessionInvalidated', 'SessionStarted'],
    ...['UsageRecorded', 'SessionRotated'],
    'UsageRecorded',
  ]);
});

test('a chain at its limit is reset, and a checkpoint of the old one can still be returned to', async () => {
  const body = { userId, projectId, owner: cloudDev, policy: { maxChainLength: 3, adviseAt: 2 } };
  const first = (await ask<CommandBody>(`${service.url}/v1/sessions`, { body })).body.session;
  await to(first.sessionId, 'checkpoints', { label: 'before the redesign' });
  const last = await rotate(await rotate(first, 'build', 'def456'), 'build', 'ghi789');
  expect(last.resetAdvised).toBe(true);
  const beyond = await to<ProblemBody>(last.sessionId, 'rotate', { epoch: last.epoch, reason: 'build' });
  expect([beyond.status, beyond.body.type]).toEqual([409, '/problems/chain-too-long']);
  const root = await rotate(last, 'reset', 'new000');
  expect(root).toMatchObject({ chainLength: 1, previousRootId: first.sessionId });
  expect(await current()).toEqual(root);

  const { status, body: returned } = await ask<CommandBody>(`${service.url}/v1/sessions`, {
    body: { userId, projectId, owner: cloudDev, fromCheckpoint: 'before the redesign' },
  });
  expect([status, returned.session.recoveredFrom]).toEqual([201, first.sessionId]);
  expect(await current()).toEqual(returned.session);
});
