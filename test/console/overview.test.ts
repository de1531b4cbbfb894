import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';
import { violationsIn } from './axe.js';
import { changeAnswers, open, testInBrowser, without } from './browser.js';
import { seedCurrent } from './seed.js';

const { becomes } = within(30_000);

const PICTURES = 'dist/test/console';
mkdirSync(PICTURES, { recursive: true });

let service: Service;
beforeAll(async () => {
  service = await startService();
  await seedCurrent(service, 90);
});

const openOverview = () => open(`${service.url}/console/`);
const start = (owner: object) => ask(`${service.url}/v1/sessions`, { body: { userId: newUser(), owner } });

testInBrowser('the overview says what is current, what is going on, and how well it is, live', async () => {
  const { page, complaints } = await openOverview();
  await page.getByText('Ready: Postgres accepts writes; this replica relays to no Kafka.').waitFor();
  const total = page.locator('.current .big');
  await total.filter({ hasText: /^90$/ }).waitFor();
  expect((await page.locator('.current .plain').allInnerTexts())[0]).toMatch(
    /starting 10\s+active 60\s+released 10\s+ending 10/,
  );
  expect((await page.locator('.shares tbody').allInnerTexts())[0]).toMatch(/no owner\s+10/);
  await start({ environment: `moon <script>alert(1)</script>` });
  await total.filter({ hasText: /^91$/ }).waitFor();
  await page.getByRole('link', { name: 'moon <script>' }).waitFor();
  // A rate needs two answers.
  await page
    .locator('.card', { hasText: 'Commands a second' })
    .getByText(/^\d+\.\d$/)
    .waitFor();
  await becomes(() => page.locator('.lags .spark').count(), 2 * 16);
  expect(await violationsIn(page)).toEqual([]);
  await page.screenshot({ path: `${PICTURES}/overview.png`, fullPage: true });
  expect(complaints).toEqual([]);
  await page.close();
});

testInBrowser('a tab that is hidden asks for nothing, and asks at once when it is seen again', async () => {
  const { page } = await openOverview();
  let asked = 0;
  page.on('request', () => asked++);
  await page.locator('.current').waitFor();
  const hide = (isHidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
    );
  await hide(true);
  await page.waitForLoadState('networkidle');
  const before = asked;
  await pause(5_000);
  expect(asked).toBe(before);
  await Promise.all([page.waitForRequest('**/v1/stats?*', { timeout: 1_500 }), hide(false)]);
  await page.close();
});

testInBrowser(
  'a service that went away is said, what was seen stays, and it comes back by itself',
  async () => {
    const { page } = await openOverview();
    await page.locator('.current').waitFor();
    await service.stop('SIGKILL');
    await page.getByText('The service does not answer. The page retries by itself.').waitFor();
    await becomes(() => page.locator('.current').count(), 1);
    await service.restart();
    await page.getByText('Ready: Postgres accepts writes').waitFor();
    await start(cloudDev);
    await page.close();
  },
);

testInBrowser('a service that is slow is asked once at a time', async () => {
  const { page } = await openOverview();
  await page.locator('.current').waitFor();
  let [waiting, most] = [0, 0];
  await page.route('**/v1/stats?*', async (route) => {
    waiting += 1;
    most = Math.max(most, waiting);
    await pause(3_000);
    waiting -= 1;
    await route.continue().catch(() => undefined);
  });
  await pause(7_000);
  expect(most).toBe(1);
  await page.close();
});

testInBrowser('an answer without what the page needs is said, and the other pages stay', async () => {
  const { page } = await openOverview();
  await changeAnswers(page, '**/v1/stats?*', without('current'));
  await page.getByText("This page cannot show the service's answer").waitFor();
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  await page.getByRole('heading', { name: 'Current sessions' }).waitFor();
  await page.close();
});
