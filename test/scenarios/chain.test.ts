import type { SessionView } from '#api/schemas';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import {
  type ChainBody,
  type CommandBody,
  cloudDev,
  newUser,
  type ProblemBody,
  type TransitionsBody,
} from '../support/sessions.js';

// A site builder whose AI tool answers every operation with a new session. Scenario 4, all but "concurrent".
const projectId = 'site.example/home';
let service: Service;
let userId: string;
/** Of the last command that was obeyed: what reads of the history have to know. */
let position: string;
beforeAll(async () => {
  service = await startService();
});
beforeEach(() => {
  userId = newUser();
});

const scope = () => `userId=${userId}&projectId=${encodeURIComponent(projectId)}`;
const current = async () => (await ask<SessionView>(`${service.url}/v1/current?${scope()}`)).body;
const read = async <Body>(what: string, more = '') =>
  (await ask<Body>(`${service.url}/v1/${what}?${scope()}&atLeast=${position}${more}`)).body;
const chain = () => read<ChainBody>('chain');
const send = async <Body = CommandBody>(path: string, body: object) => {
  const reply = await ask<Body>(`${service.url}/v1/${path}`, { body });
  position = reply.headers.get('ledger-position') ?? position;
  return reply;
};
const start = async (more: object = {}) =>
  (await send('sessions', { userId, projectId, owner: cloudDev, ...more })).body.session;
const to = <Body = CommandBody>(sessionId: string, action: string, body: object) =>
  send<Body>(`sessions/${sessionId}/${action}`, body);
const ids = (sessions: readonly SessionView[]) => sessions.map(({ sessionId }) => sessionId);
/** The project's audit, oldest first: why, from which session to which, for which version. */
const transitions = async () =>
  (await read<TransitionsBody>('transitions')).transitions
    .map(({ source, reason = source, from, to, versionId }) => [reason, from, to, versionId])
    .reverse();
/** The sessions that a version of the project was made with. */
const ofVersion = async (versionId: string) =>
  ids((await read<ChainBody>('sessions', `&versionId=${versionId}`)).sessions);
/** What so many operations used, each as `rotate` says. */
const operations = (count: number) => ({
  operations: count,
  inputTokens: 100 * count,
  cost: { EUR: `0.0${count}` },
});

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

  const [one, two, three, four] = ids([first, build, metadata, compacted]);
  expect([await ofVersion('v1'), await ofVersion('v2')]).toEqual([[two], [four]]);
  expect(await transitions()).toEqual([
    ['started', undefined, one, undefined],
    ['build', one, two, 'v1'],
    ['metadata_generation', two, three, undefined],
    ['compact', three, four, 'v2'],
  ]);
  // What it used: every session that has been left, and the chain.
  const { sessions, usage } = await chain();
  expect(ids(sessions)).toEqual([four, three, two, one]);
  expect(sessions[0]).not.toHaveProperty('usage');
  for (const session of sessions.slice(1)) expect(session.usage).toMatchObject(operations(1));
  expect(usage).toMatchObject(operations(3));
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
  expect((await transitions()).at(-1)).toEqual(['chat_plan', update.sessionId, plan.sessionId, undefined]);
  // Whatever is current, a version has the session that it was built with.
  expect([await ofVersion('v1'), await ofVersion('v2')]).toEqual([ids([build]), ids([update])]);
});

test('error recovery: a build fails for good, its session is left, and the next rotation continues the valid one', async () => {
  const first = await start();
  const good = await rotate(first, 'build', 'def456');
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
  const all = ids([first, good, broken, recovered.body.session, next]);
  expect(await transitions()).toEqual([
    ['started', undefined, all[0], undefined],
    ['build', all[0], all[1], undefined],
    ['build', all[1], all[2], undefined],
    ['context lost', all[2], undefined, undefined],
    ['recovered', all[2], all[3], undefined],
    ['build', all[3], all[4], undefined],
  ]);
  const { sessions, usage } = await chain();
  expect(ids(sessions)).toEqual(all.reverse());
  expect(sessions[2]).toMatchObject({ endCause: 'invalid', usage: { operations: 1, outputTokens: 7 } });
  expect(usage).toMatchObject({ ...operations(3), operations: 4, outputTokens: 7 });
});

test('a chain at its limit is reset, and a checkpoint of the old one can still be returned to', async () => {
  const first = await start({ policy: { maxChainLength: 3, adviseAt: 2 } });
  await to(first.sessionId, 'checkpoints', { label: 'before the redesign' });
  const last = await rotate(await rotate(first, 'build', 'def456'), 'build', 'ghi789');
  expect(last.resetAdvised).toBe(true);
  const beyond = await to<ProblemBody>(last.sessionId, 'rotate', { epoch: last.epoch, reason: 'build' });
  expect([beyond.status, beyond.body.type]).toEqual([409, '/problems/chain-too-long']);
  const root = await rotate(last, 'reset', 'new000');
  expect(root).toMatchObject({ chainLength: 1, previousRootId: first.sessionId });
  expect(await current()).toEqual(root);
  expect(ids((await chain()).sessions)).toEqual(ids([root]));

  const returned = await start({ fromCheckpoint: 'before the redesign' });
  expect(returned).toMatchObject({ recoveredFrom: first.sessionId, chainLength: 1 });
  expect(await current()).toEqual(returned);
  // Each chain has its own sums, the project has those of all.
  const ofOld = await read<ChainBody>('chain', `&sessionId=${last.sessionId}`);
  expect(ofOld.usage).toMatchObject(operations(3));
  expect((await chain()).usage).toMatchObject({ operations: 0, cost: {} });
  expect(await read('usage')).toMatchObject({ usage: operations(3) });
});

test('a sync rate: who holds which session, and since when another one is current', async () => {
  const first = await start();
  const holds = (consumer: string, { sessionId }: SessionView) =>
    ask(`${service.url}/v1/reports`, { body: [{ consumer, userId, projectId, sessionId }] });
  const name = (what: string) => `${what}:${userId}`;
  const synced = async () =>
    (await ask<{ sync: object }>(`${service.url}/v1/stats?consumer=${name('plan-table')}`)).body.sync;
  await holds(name('plan-table'), first);
  expect(await synced()).toMatchObject({ inSync: 1, outOfSync: 0, unknown: 0, rate: 1, list: [] });
  const build = await rotate(first, 'build', 'def456');
  expect(await synced()).toMatchObject({
    ...{ inSync: 0, outOfSync: 1, unknown: 0, rate: 0 },
    list: [
      { userId, projectId, sessionId: first.sessionId, currentId: build.sessionId, since: build.startedAt },
    ],
  });
  await holds(name('plan-table'), build);
  expect(await synced()).toMatchObject({ inSync: 1, rate: 1, list: [] });
});
