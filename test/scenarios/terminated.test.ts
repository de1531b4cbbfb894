import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDebug,
  cloudDev,
  newUser,
  type ProblemBody,
  refusal,
} from '../support/sessions.js';

// A client comes back with the id of a session that has ended. Scenario 1, "terminated".
let service: Service;
beforeAll(async () => {
  service = await startService();
});

const start = async (userId: string, owner: object, more: object = {}) => {
  const body = { userId, owner, ...more };
  return (await ask<CommandBody>(`${service.url}/v1/sessions`, { body })).body.session;
};

const comesBack = { ...cloudDev, instance: 'reconnected' };

/** All that a client may try to get its session back. */
const attempts = (epoch: number) => [
  { action: 'renew', body: { epoch } },
  { action: 'touch', body: {} },
  { action: 'activate', body: { epoch } },
  { action: 'claim', body: { epoch, owner: cloudDev } },
  { action: 'claim', body: { epoch, owner: cloudDev, force: true } },
  { action: 'release', body: { epoch } },
  { action: 'rotate', body: { epoch, reason: 'resume' } },
  { action: 'end', body: { epoch, origin: comesBack, reason: 'again', drainSeconds: 5 } },
  { action: 'attributes', method: 'PATCH', body: { epoch, attributes: { back: true } } },
];

async function reconnect(sessionId: string, epoch: number) {
  const refusals = [];
  for (const { action, method = 'POST', body } of attempts(epoch)) {
    const address = `${service.url}/v1/sessions/${sessionId}/${action}`;
    refusals.push(refusal(await ask<ProblemBody>(address, { method, body })));
  }
  return refusals;
}

const refusedAs = (code: string, current?: string) =>
  attempts(0).map(() => ({ status: 409, type: `/problems/${code}`, current }));
const ways = [
  { how: 'superseded', end: (userId: string) => start(userId, cloudDebug) },
  {
    how: 'stopped, and another was started',
    async end(userId: string, sessionId: string) {
      const body = { epoch: 1, origin: cloudDev, reason: 'user left' };
      await ask(`${service.url}/v1/sessions/${sessionId}/end`, { body });
      return start(userId, cloudDebug);
    },
  },
  {
    how: 'expired, and another was started',
    async end(userId: string) {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      return start(userId, cloudDebug, { onConflict: 'reject' });
    },
  },
];

test.each(ways)(
  '$how: is refused with the current one, and comes back by no request',
  async ({ how, end }) => {
    const userId = newUser();
    const lease = { seconds: how.startsWith('expired') ? 1 : 60, onLapse: 'end' };
    const { sessionId } = await start(userId, cloudDev, { lease });
    const current = await end(userId, sessionId);
    const { body: ended } = await ask(`${service.url}/v1/sessions/${sessionId}`);
    expect(ended.status).toBe('ended');
    for (const epoch of [1, 2]) {
      expect(await reconnect(sessionId, epoch)).toEqual(refusedAs('stale-session', current.sessionId));
    }
    // Its refused stops are told beside it; the session itself stays as it ended.
    const { body: after } = await ask(`${service.url}/v1/sessions/${sessionId}`);
    expect({ ...after, refusals: ended.refusals }).toEqual(ended);
    expect((await ask(`${service.url}/v1/current?userId=${userId}`)).body).toEqual(current);
  },
);

test('when nothing is current it is told to start anew', async () => {
  const userId = newUser();
  const { sessionId } = await start(userId, cloudDev, { lease: { seconds: 60 } });
  const stop = { epoch: 1, origin: cloudDebug, reason: 'user left', force: true };
  await ask(`${service.url}/v1/sessions/${sessionId}/end`, { body: stop });
  for (const epoch of [1, 2]) expect(await reconnect(sessionId, epoch)).toEqual(refusedAs('session-ended'));
  const { status, body } = await ask<ProblemBody>(`${service.url}/v1/current?userId=${userId}`);
  expect([status, body.type, body.last?.sessionId]).toEqual([404, '/problems/no-current-session', sessionId]);
});
