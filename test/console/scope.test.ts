import { createRequire } from 'node:module';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { currentLane, open, PICTURES, scopeAddress, testInBrowser } from './browser.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let service: Service;
beforeAll(async () => {
  service = await startService();
});

const post = async (path: string, body: object) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions${path}`, { body })).body;
const placeOf = (userId: string) => scopeAddress(service, userId);

testInBrowser('the slider says what a reader would have got then', async () => {
  const userId = newUser();
  await post('', { userId, owner: cloudDev });
  await post('', { userId, owner: cloudDebug });
  const { page, complaints } = await open(placeOf(userId));
  await currentLane(page, 1);
  const slider = page.locator('input[type=range]');
  await slider.fill((await slider.getAttribute('min')) ?? '');
  const said = page.locator('output');
  await said.filter({ hasText: 'the current session was' }).filter({ hasText: 'cloud-dev,' }).waitFor();
  await page.screenshot({ path: `${PICTURES}/switch.png` });
  await page.getByRole('button', { name: 'Now' }).click();
  await said.filter({ hasText: 'Move the slider' }).waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

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
    await page.locator('main .card').first().waitFor();
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
