import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { currentLane, happened, open, scopeAddress, testInBrowser, timelineOf } from './browser.js';

// What happens while somebody looks: the page shows it without a reload.
let service: Service;
beforeAll(async () => {
  service = await startService();
});

const post = async (path: string, body: object) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions${path}`, { body })).body;

testInBrowser('a cloud switch: the bar changes its lane, and the late stop leaves a mark', async () => {
  const userId = newUser();
  const { session: first } = await post('', { userId, owner: cloudDev });
  const { page, complaints } = await open(scopeAddress(service, userId));
  await currentLane(page, 0);
  await post('', { userId, owner: cloudDebug });
  await currentLane(page, 1);
  const { sessionId, epoch } = first;
  await post(`/${sessionId}/end`, { epoch, origin: cloudDev, reason: 'User session ended' });
  await timelineOf(page).and(page.locator('[data-marks="1"]')).waitFor();
  await happened(page, 'Stop ignored: superseded');
  await currentLane(page, 1);
  expect(complaints).toEqual([]);
  await page.close();
});

testInBrowser('a tool server that restarts joins its session: nothing moves', async () => {
  const userId = newUser();
  const join = (value: string) =>
    post('', {
      userId,
      projectId: '/home/ada/site',
      owner: { environment: 'tool-server' },
      onConflict: 'join',
      handles: [{ kind: 'mcp-transport', value, binds: 'scope' }],
    });
  const { session } = await join('before');
  const { page, complaints } = await open(scopeAddress(service, userId, '/home/ada/site'));
  await currentLane(page, 0);
  expect((await join('after the restart')).session.sessionId).toBe(session.sessionId);
  await post(`/${session.sessionId}/checkpoints`, { label: 'seen' });
  await happened(page, 'Checkpoint seen');
  expect(await timelineOf(page).getAttribute('data-spans')).toBe('1');
  expect(complaints).toEqual([]);
  await page.close();
});

testInBrowser('a released session is claimed by the next one; a stop of the former is ignored', async () => {
  const userId = newUser();
  const { session } = await post('', { userId, owner: cloudDev });
  const { page, complaints } = await open(scopeAddress(service, userId));
  await currentLane(page, 0);
  const released = await post(`/${session.sessionId}/release`, { epoch: session.epoch, to: cloudDebug });
  await happened(page, 'Ownership released');
  await post(`/${session.sessionId}/claim`, { epoch: released.session.epoch, owner: cloudDebug });
  await currentLane(page, 1);
  await post(`/${session.sessionId}/end`, { epoch: session.epoch, origin: cloudDev, reason: 'grace over' });
  await timelineOf(page).and(page.locator('[data-marks="1"]')).waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

testInBrowser('a rolling chain grows while it is looked at, with its reasons', async () => {
  const userId = newUser();
  let { session } = await post('', { userId, owner: { environment: 'site-builder' } });
  const { page, complaints } = await open(scopeAddress(service, userId));
  for (const reason of ['build', 'metadata', 'compact']) {
    const { sessionId, epoch } = session;
    session = (await post(`/${sessionId}/rotate`, { epoch, reason, versionId: `v-${reason}` })).session;
    await happened(page, `Rotated: ${reason}`);
  }
  await page.locator('.now').getByText('chain 4').waitFor();
  expect(await timelineOf(page).getAttribute('data-spans')).toBe('4');
  expect(complaints).toEqual([]);
  await page.close();
});
