import type { Page } from 'playwright-core';
import { by, type Guarded, startGuarded, TENANT_PERMISSIONS } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { newUser } from '../support/sessions.js';
import { lookAt, signIn } from './acting.js';
import { answerTo, open, testInBrowser } from './browser.js';
import { seedCurrent } from './seed.js';

/** Bulk jobs in the console: counted, confirmed, ordered, watched. */

let guarded: Guarded;
let operator: string;
beforeAll(async () => {
  guarded = await startGuarded();
  operator = (await guarded.key({ principal: 'olga', permissions: TENANT_PERMISSIONS })).secret;
});

const get = async (path: string) =>
  (
    await ask<{ jobs: { jobId: string; reason: string }[] }>(`${guarded.service.url}${path}`, {
      headers: by(operator),
    })
  ).body;
const beyond401 = (complaints: readonly string[]) => complaints.filter((text) => !/status of 401/.test(text));

async function opened(credential = operator) {
  const { page, complaints } = await open(`${guarded.service.url}/console/jobs`);
  await signIn(page, credential);
  await page.locator('header details').waitFor();
  return { page, complaints };
}
const rows = (page: Page) => page.locator('tbody tr');

testInBrowser(
  'what a job will change is counted first; then it is ordered once, and seen to its end',
  async () => {
    await seedCurrent({ url: guarded.service.url, token: operator }, 3_000);
    const { page, complaints } = await opened();
    await page.getByText('None.').waitFor();
    await page.getByLabel('environment', { exact: true }).fill('laptop');
    await page.getByLabel('reason').fill('laptops are gone');
    await page.getByRole('button', { name: 'Count first' }).click();
    // A fifth of 3,000, but for those that nobody owns: they were released.
    const count = 600 - 67;
    await page.getByRole('heading', { name: `End ${count} sessions?` }).waitFor();
    await page.getByText('active', { exact: false }).first().waitFor();
    expect(await get('/v1/bulk')).toEqual({ jobs: [] });
    expect(await lookAt(page, 'jobs-counted')).toEqual([]);
    await page.route('**/v1/bulk', async (route) => {
      await answerTo(route);
      await route.abort();
    });
    await page.getByRole('button', { name: 'End them' }).click();
    await page.getByText('No answer arrived.').waitFor();
    await page.unroute('**/v1/bulk');
    await page.getByRole('button', { name: 'End them' }).click();
    await page.getByRole('heading', { name: 'Job started', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await rows(page).filter({ hasText: 'laptops are gone' }).filter({ hasText: 'finished in' }).waitFor();
    const cells = await rows(page).first().getByRole('cell').allTextContents();
    expect(cells.slice(1, 4)).toEqual(['olga', 'End all sessions of laptop', 'laptops are gone']);
    expect(cells.slice(5)).toEqual([String(count), '0', '0']);
    expect((await get('/v1/bulk')).jobs).toHaveLength(1);
    expect(await lookAt(page, 'jobs')).toEqual([]);
    expect(beyond401(complaints).filter((text) => !/ERR_FAILED/.test(text))).toEqual([]);
    await page.close();
  },
);

testInBrowser("a user's sessions are counted and released; what matches nothing is not ordered", async () => {
  const userId = `${newUser()} "é`;
  const owner = { environment: 'night' };
  for (const projectId of ['a', 'b'])
    await ask(`${guarded.service.url}/v1/sessions`, {
      body: { userId, projectId, owner },
      headers: by(operator),
    });
  const { page, complaints } = await opened();
  await page.getByLabel('all sessions of').selectOption('release');
  await page.getByLabel('Whose').selectOption('user');
  await page.getByLabel('user', { exact: true }).fill(newUser());
  await page.getByLabel('reason').fill('moved');
  await page.getByRole('button', { name: 'Count first' }).click();
  await page.getByText('No current session matches.').waitFor();
  await page.getByLabel('user', { exact: true }).fill(userId);
  await page.getByRole('button', { name: 'Count first' }).click();
  await page.getByRole('heading', { name: 'Release 2 sessions?' }).waitFor();
  await page.keyboard.press('Escape');
  expect((await get('/v1/bulk')).jobs.filter(({ reason }) => reason === 'moved')).toEqual([]);
  await page.getByRole('button', { name: 'Count first' }).click();
  await page.getByRole('button', { name: 'Release them' }).click();
  await page.getByRole('button', { name: 'Close' }).click();
  await rows(page).filter({ hasText: userId }).filter({ hasText: 'finished in' }).waitFor();
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser('jobs are for operators', async () => {
  const { page } = await opened((await guarded.key({ permissions: ['read', 'write'] })).secret);
  await page.getByRole('heading', { name: 'This page needs the permission operate' }).waitFor();
  await page.close();
});
