// What somebody writes against the client that a generator made of /openapi.json (see ../../generated-client.test.ts).
//   node program.js <ledger's address>
import assert from 'node:assert/strict';
import { Api, type HttpResponse, type LedgerEvent, type Problem, type Session } from './ledger.js';

const { v1: ledger } = new Api({ baseUrl: process.argv[2] ?? '' });
const scope = { userId: `user-${crypto.randomUUID()}`, projectId: 'a project/with a slash' };
const [dev, debug] = [{ environment: 'cloud-dev' }, { environment: 'cloud-debug' }];

/** The generated client throws the response of what was not obeyed. */
async function refused(call: Promise<unknown>): Promise<HttpResponse<unknown, Problem>> {
  return call.then(
    () => assert.fail('it was obeyed'),
    (response: HttpResponse<unknown, Problem>) => response,
  );
}

const none = await refused(ledger.currentSession(scope));
assert.equal(none.status, 404);
assert.equal(none.error.type, '/problems/no-current-session');
assert.equal(none.error.last, undefined);

const key = { headers: { 'Idempotency-Key': crypto.randomUUID() } };
const start = { ...scope, owner: dev, lease: { seconds: 60 }, attributes: { model: 'one' } };
const started = await ledger.startSession(start, key);
const again = await ledger.startSession(start, key);
assert.deepEqual([started.status, started.data.outcome, started.data.session.epoch], [201, 'started', 1]);
assert.equal(again.headers.get('idempotency-replayed'), 'true');
assert.deepEqual(again.data.session, started.data.session);
const first = started.data.session;
const { partition, sequence } = started.data.position;
assert.equal(started.headers.get('ledger-position'), `${partition}:${sequence}`);

const current = (await ledger.currentSession(scope)).data as Session;
assert.deepEqual(current, first);
assert.equal(current.lease?.seconds, 60);

const usage = { inputTokens: 12, cost: { amount: '0.0125', currency: 'EUR' } };
const rotated = await ledger.rotateSession(first.sessionId, {
  epoch: 1,
  reason: 'build',
  versionId: 'v1',
  usage,
});
const { session: second, position } = rotated.data;
assert.deepEqual([rotated.data.outcome, second.epoch, second.parentId], ['rotated', 2, first.sessionId]);
const ended = (await ledger.session(first.sessionId)).data;
assert.deepEqual([ended.endCause, ended.usage?.cost.EUR, ended.refusals], ['rotated', '0.0125', []]);

// A stop that names the old session changes nothing, and is told who is current.
const stop = { epoch: 1, origin: dev, reason: 'User session ended' };
const late = await refused(ledger.endSession(first.sessionId, stop));
assert.equal(late.status, 409);
assert.equal(late.error.type, '/problems/stale-session');
assert.equal(late.error.current?.sessionId, second.sessionId);
assert.equal(late.error.retryable, false);
assert.equal((await ledger.session(first.sessionId)).data.refusals[0]?.origin?.environment, 'cloud-dev');

const atLeast = `${position.partition}:${position.sequence}`;
const chain = (await ledger.chain({ ...scope, atLeast })).data.sessions;
assert.deepEqual(
  chain.map(({ sessionId }) => sessionId),
  [second.sessionId, first.sessionId],
);
const list = (await ledger.sessions({ ...scope, atLeast, limit: 1 })).data;
assert.equal(list.sessions[0]?.position.partition, partition);
assert.equal(typeof list.next, 'string');
const { transitions } = (await ledger.transitions({ ...scope, atLeast })).data;
assert.deepEqual(transitions.map(({ source, to }) => [source, to]).reverse(), [
  ['started', first.sessionId],
  ['rotated', second.sessionId],
]);

const over = await ledger.endSession(second.sessionId, { epoch: 2, origin: dev, reason: 'done' });
assert.deepEqual([over.data.outcome, over.data.session.status], ['ended', 'ended']);
const gone = await refused(ledger.currentSession(scope));
assert.equal(gone.error.last?.sessionId, second.sessionId);
const wrong = await refused(ledger.startSession({ ...scope, owner: debug, lease: { seconds: 0 } }));
assert.deepEqual([wrong.status, wrong.error.type], [400, '/problems/invalid-request']);

const events: LedgerEvent[] = [];
for (let after: number | undefined = 0; after !== undefined; ) {
  const page: { events: LedgerEvent[]; next?: number } = (await ledger.feed({ partition, after, limit: 2 }))
    .data;
  events.push(...page.events);
  after = page.next;
}
assert.deepEqual(
  events.map((event) => Number(event.sequence)),
  events.map((_, index) => index + 1),
);
const rotation = events.find(({ id }) => id === atLeast);
assert.equal(rotation?.type, 'session-ledger.SessionRotated.v1');
console.log(`followed to ${events.at(-1)?.id}`);
