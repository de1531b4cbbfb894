import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDebug,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
} from '../support/sessions.js';

// A cloud gives its session away before a disconnect that it knows of. Scenario 1, "release".
const cloudProd = { environment: 'cloud-prod' };
const lease = { seconds: 2, graceSeconds: 3 };
let service: Service;
beforeAll(async () => {
  service = await startService();
});

const to = <Body = CommandBody>(sessionId: string, action: string, body: object) =>
  ask<Body>(`${service.url}/v1/sessions/${sessionId}/${action}`, { body });
const current = async (userId: string) => (await ask(`${service.url}/v1/current?userId=${userId}`)).body;
const start = async (userId: string) => {
  const body = { userId, owner: cloudDev, lease };
  return (await ask<CommandBody>(`${service.url}/v1/sessions`, { body })).body.session;
};
const typesOf = async (userId: string) => {
  const { body } = await ask<EventsBody>(`${service.url}/v1/events?userId=${userId}`);
  return body.events.map(({ type }) => type.split('.')[1]);
};

/** Renews until told to stop; what it was answered, each time. */
function keepRenewing(sessionId: string, epoch: number) {
  const statuses: number[] = [];
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      statuses.push((await to(sessionId, 'renew', { epoch })).status);
      await pause(400);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await done;
      return new Set(statuses);
    },
  };
}

test('A releases to B, a third one may not take it, B claims it, and the end of A’s grace does nothing', async () => {
  const userId = newUser();
  const { sessionId } = await start(userId);
  const released = (await to(sessionId, 'release', { epoch: 1, to: cloudDebug, reservedSeconds: 30 })).body;
  expect(released).toMatchObject({ outcome: 'released', session: { status: 'released', epoch: 2 } });

  for (const third of [cloudProd, cloudDev]) {
    const claim = await to<ProblemBody>(sessionId, 'claim', { epoch: 2, owner: third });
    expect(claim).toMatchObject({
      status: 409,
      body: { type: '/problems/reserved', until: released.session.reservedUntil, current: { sessionId } },
    });
  }
  const claim = await to(sessionId, 'claim', { epoch: 2, owner: cloudDebug });
  expect(claim.body).toMatchObject({ outcome: 'claimed', session: { epoch: 3, owner: cloudDebug } });
  const renewing = keepRenewing(sessionId, 3);

  // A's lease and its grace pass. What A still believes in, it is refused.
  await pause(5_500);
  const stop = { epoch: 1, origin: cloudDev, reason: 'User session ended' };
  for (let times = 0; times < 2; times++) {
    expect(await to<ProblemBody>(sessionId, 'end', stop)).toMatchObject({
      status: 409,
      body: { type: '/problems/stale-epoch', current: { sessionId, epoch: 3, owner: cloudDebug } },
    });
  }
  expect((await to<ProblemBody>(sessionId, 'renew', { epoch: 1 })).body.type).toBe('/problems/stale-epoch');
  expect(await current(userId)).toEqual(claim.body.session);
  expect(await renewing.stop()).toEqual(new Set([200]));
  expect(await typesOf(userId)).toEqual([
    'SessionStarted',
    'OwnershipReleased',
    'OwnershipClaimed',
    'StopIgnored',
  ]);
});

test('released to nobody it stays current without owner, and whoever comes first claims it', async () => {
  const userId = newUser();
  const { sessionId } = await start(userId);
  await to(sessionId, 'release', { epoch: 1 });
  await pause(2_500); // no lease lapses any more
  expect(await current(userId)).toMatchObject({ sessionId, status: 'released', epoch: 2 });
  const claims = await Promise.all(
    [cloudProd, cloudDebug].map((owner) => to(sessionId, 'claim', { epoch: 2, owner })),
  );
  expect(claims.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(await typesOf(userId)).toEqual(['SessionStarted', 'OwnershipReleased', 'OwnershipClaimed']);
});
