import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { open, testInBrowser } from './browser.js';

const PICTURES = 'dist/test/console';
mkdirSync(PICTURES, { recursive: true });
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let service: Service;
beforeAll(async () => {
  service = await startService();
});

const post = async (path: string, body: object) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions${path}`, { body })).body;
const placeOf = (userId: string, projectId = 'default') =>
  `${service.url}/console/scope?${new URLSearchParams({ userId, projectId })}`;

testInBrowser(
  'a switch moves the bar to another lane, and a late stop leaves a mark, without a reload',
  async () => {
    const userId = newUser();
    const first = await post('', { userId, owner: cloudDev });
    const { page, complaints } = await open(placeOf(userId));
    const timeline = page.locator('canvas.timeline');
    await timeline.and(page.locator('[data-current="0"]')).waitFor();
    await post('', { userId, owner: cloudDebug });
    await timeline.and(page.locator('[data-current="1"]')).waitFor();
    const { sessionId, epoch } = first.session;
    await post(`/${sessionId}/end`, { epoch, origin: cloudDev, reason: 'User session ended' });
    await timeline.and(page.locator('[data-marks="1"]')).waitFor();
    await page.getByText('Stop ignored: superseded').waitFor();
    await page
      .locator('input[type=range]')
      .fill((await page.locator('input[type=range]').getAttribute('min')) ?? '');
    await page
      .getByText('As of', { exact: false })
      .and(page.locator('output'))
      .filter({ hasText: 'current session was' })
      .waitFor();
    await page.screenshot({ path: `${PICTURES}/switch.png` });
    expect(complaints).toEqual([]);
    await page.close();
  },
);

testInBrowser('ids of any sort are shown as they are', async () => {
  const userId = `a/b'"<script>alert(1)</script> \u202eשלום 🦊${'x'.repeat(200)}`;
  await post('', { userId, owner: cloudDev, attributes: { title: '<script>alert(1)</script>' } });
  const { page, complaints } = await open(placeOf(userId));
  await page.locator('[data-current="0"]').waitFor();
  expect(await page.locator('h1 bdi').first().textContent()).toBe(userId);
  await page.goto(placeOf(newUser()));
  await page.getByText('No session was ever started here.').waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

testInBrowser('every page is free of what axe finds, and of complaints', async () => {
  const userId = newUser();
  const { session } = await post('', { userId, owner: cloudDev, lease: { seconds: 600 } });
  const { page, complaints } = await open(`${service.url}/console/`);
  for (const place of [
    '',
    'sessions',
    'holders',
    `session?id=${session.sessionId}`,
    `scope?userId=${userId}`,
  ]) {
    await page.goto(`${service.url}/console/${place}`);
    await page.locator('.card').first().waitFor();
    await page.screenshot({ path: `${PICTURES}/${/^\w*/.exec(place)![0] || 'overview'}.png` });
    await page.evaluate(readAxe);
    expect({ place, violations: await page.evaluate(violations) }).toEqual({ place, violations: [] });
  }
  expect(complaints).toEqual([]);
  await page.close();
});

const readAxe = (await import('node:fs')).readFileSync(AXE, 'utf8');
// What is run in the page is text here: these files are checked without the types of a browser.
const violations =
  'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0]?.html]))';
