import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type App, kafkaApp, restApp } from '../support/apps.js';
import { ask } from '../support/http.js';
import { type NodeProcess, spawnNode } from '../support/process.js';
import { freshTopic, type Service, startService } from '../support/service.js';
import { type EventsBody, newUser } from '../support/sessions.js';

// A user of captions switches from one cloud to another; the old one's stop comes late. Scenario 1, "switch".
const cloudScript = fileURLToPath(new URL('../support/processes/cloud.js', import.meta.url));
const GRACE_MS = 3_000;
const userId = newUser();
const projectId = 'com.example/captions.v2';
const scope = `userId=${userId}&projectId=${encodeURIComponent(projectId)}`;

let service: Service;
let apps: App[];
beforeAll(async () => {
  const topic = freshTopic();
  service = await startService({ kafkaBrokers: process.env.TEST_KAFKA_BROKERS ?? '', topic });
  apps = [kafkaApp(service.url, topic, userId), restApp(service.url, userId, projectId)];
});
afterAll(() => Promise.all(apps.map((app) => app.stop())));

interface Cloud {
  process: NodeProcess;
  sessionId: string;
  /** Its renewals so far. */
  renewals(): number;
}

async function startCloud(environment: string): Promise<Cloud> {
  const args = [service.url, environment, userId, projectId, String(GRACE_MS)];
  const process = spawnNode(cloudScript, { args });
  const [, sessionId = ''] = (await process.waitForLine(/^started /)).split(' ');
  const renewals = () => process.lines.filter((line) => line.startsWith('renewed ')).length;
  return { process, sessionId, renewals };
}

const stopsOf = ({ process }: Cloud) => process.lines.filter((line) => line.startsWith('stop '));
const eventually = async (look: () => number, atLeast: number, withinMs = 10_000) => {
  const until = performance.now() + withinMs;
  while (look() < atLeast && performance.now() < until) await pause(20);
  expect(look()).toBeGreaterThanOrEqual(atLeast);
};
const current = async () => (await ask(`${service.url}/v1/current?${scope}`)).body;

test("the old cloud's stop, late, twice and after a restart, does not touch the new cloud's session", async () => {
  const a = await startCloud('cloud-dev');
  await eventually(a.renewals, 2);
  const b = await startCloud('cloud-debug');
  const begun = await current();
  expect(begun).toMatchObject({ sessionId: b.sessionId, epoch: 2, owner: { environment: 'cloud-debug' } });

  // A hears by its next renewal that it lost the session, and to whom: no user stop.
  const lost = await a.process.waitForLine(/^lost /);
  expect(lost).toBe(`lost /problems/stale-session ${b.sessionId}`);
  a.process.child.kill('SIGUSR2');
  await eventually(() => stopsOf(a).length, 2, GRACE_MS + 5_000);

  const renewed = b.renewals();
  await service.restart();
  await eventually(b.renewals, renewed + 2);
  a.process.child.kill('SIGHUP');
  await eventually(() => stopsOf(a).length, 3);
  const refused = `stop 409 /problems/stale-session ${b.sessionId}`;
  expect(stopsOf(a)).toEqual([refused, refused, refused]);

  // Longer than any lease or grace: B is still current, still renewing, under the epoch that it began with.
  await eventually(b.renewals, b.renewals() + 10);
  expect(await current()).toEqual(begun);
  expect(b.process.lines.filter((line) => line.startsWith('lost '))).toEqual([]);

  const [overKafka, overRest] = apps as [App, App];
  await eventually(() => overKafka.current.length, 2);
  for (const app of [overKafka, overRest]) {
    expect(app.current).toEqual([a.sessionId, b.sessionId]);
    expect(app.ended).toEqual([a.sessionId]);
  }

  const { body: history } = await ask<EventsBody>(`${service.url}/v1/events?${scope}`);
  expect(history.events).toMatchObject([
    { type: 'session-ledger.SessionStarted.v1', data: { session: { sessionId: a.sessionId } } },
    {
      type: 'session-ledger.SessionSuperseded.v1',
      data: {
        by: { environment: 'cloud-debug' },
        session: { sessionId: a.sessionId, endCause: 'superseded', successorId: b.sessionId },
      },
    },
    { type: 'session-ledger.SessionStarted.v1', data: { session: { sessionId: b.sessionId } } },
    {
      type: 'session-ledger.StopIgnored.v1',
      ignoredstops: 3,
      data: { sessionId: a.sessionId, origin: { environment: 'cloud-dev' }, epoch: 1, why: 'superseded' },
    },
  ]);
}, 60_000);
