import { mkdirSync } from 'node:fs';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev } from '../support/sessions.js';
import { currentLane, happened, open, PICTURES, scopeAddress, testInBrowser } from './browser.js';
import { seedCurrent } from './seed.js';

// A picture of each page. Those of the docs are made by
//   DOCS_PICTURES=docs/pictures npm run test:soak -- test/console/pictures
const folder = process.env.DOCS_PICTURES ?? PICTURES;
mkdirSync(folder, { recursive: true });

let service: Service;
beforeAll(async () => {
  service = await startService();
});

const post = async (path: string, body: object) => {
  const reply = await ask<CommandBody>(`${service.url}/v1/sessions${path}`, { body });
  expect([200, 201, 409]).toContain(reply.status);
  return reply.body;
};
const passes = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const glasses = { ...cloudDev, instance: 'i-3' };
const debug = { ...cloudDebug, instance: 'i-7' };
const worker = { environment: 'worker-a', instance: '2' };
const scope = { userId: 'ada', projectId: 'captions' };

/** A day of a scope in some seconds: switched, stopped late, rotated, handed over, lapsed and taken back. */
async function story(): Promise<string> {
  const first = (await post('', { ...scope, owner: glasses })).session;
  await passes(2_000);
  let { session } = await post('', { ...scope, owner: debug, phase: 'starting' });
  await passes(300);
  session = (await post(`/${session.sessionId}/activate`, { epoch: session.epoch })).session;
  await passes(1_200);
  const late = { epoch: first.epoch, origin: glasses, reason: 'User session ended' };
  await post(`/${first.sessionId}/end`, late);
  await passes(600);
  const rotate = { epoch: session.epoch, reason: 'build', versionId: 'v1' };
  session = (await post(`/${session.sessionId}/rotate`, rotate)).session;
  await passes(1_500);
  session = (await post(`/${session.sessionId}/release`, { epoch: session.epoch, to: worker })).session;
  await passes(700);
  const claim = { epoch: session.epoch, owner: worker, lease: { seconds: 1 } };
  session = (await post(`/${session.sessionId}/claim`, claim)).session;
  await post(`/${first.sessionId}/end`, late);
  await passes(3_500);
  const { sessionId } = (await post('', { ...scope, owner: debug, lease: { seconds: 90 } })).session;
  return sessionId;
}

testInBrowser('each page has a picture', async () => {
  await seedCurrent(service, 900, 'user-');
  const sessionId = await story();
  const { page, complaints } = await open(scopeAddress(service, scope.userId, scope.projectId));
  await page.setViewportSize({ width: 1_240, height: 780 });
  await currentLane(page, 1);
  await happened(page, 'Stop ignored');
  await passes(1_500);
  await page.screenshot({ path: `${folder}/scope.png` });
  for (const [name, place] of [
    ['overview', ''],
    ['sessions', 'sessions'],
    ['session', `session?id=${sessionId}`],
    ['holders', 'holders'],
    ['jobs', 'jobs'],
  ]) {
    await page.goto(`${service.url}/console/${place}`);
    await page.locator('main .card').first().waitFor();
    await passes(3_000); // figures that are rates need two answers
    await page.screenshot({ path: `${folder}/${name}.png` });
  }
  expect(complaints).toEqual([]);
  await page.close();
});
