import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import type { EventsBody } from '../support/sessions.js';
import { seedCurrent, seedHistory } from './seed.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});

test('a long history has hand-overs, and stops that were ignored', async () => {
  const current = await seedHistory(service, { userId: 'grace', projectId: 'a/b', sessions: 205 });
  const scope = 'userId=grace&projectId=a%2Fb&limit=500';
  const { body } = await ask(`${service.url}/v1/current?userId=grace&projectId=a%2Fb`);
  expect(body).toMatchObject({ sessionId: current.sessionId, status: 'active' });
  const { events } = (await ask<EventsBody>(`${service.url}/v1/events?${scope}`)).body;
  const count = (type: string) => events.filter((event) => event.type.includes(type)).length;
  expect(count('SessionStarted') + count('SessionRotated')).toBe(205);
  expect([count('OwnershipReleased'), count('OwnershipClaimed'), count('StopIgnored')]).toEqual([3, 3, 3]);
});

test('current sessions are of all statuses', async () => {
  await seedCurrent(service, 900, 'many-');
  const { text } = await ask(`${service.url}/v1/snapshot`);
  const count = (status: string) => text.split(`"status":"${status}"`).length - 1;
  // With the session of the test before.
  expect(['active', 'starting', 'released', 'ending'].map(count)).toEqual([601, 100, 100, 100]);
});
