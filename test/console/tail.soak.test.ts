import type { Page } from 'playwright-core';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';
import { lookAt, signIn } from './acting.js';
import { open, testInBrowser } from './browser.js';
import { seedCurrent } from './seed.js';

const { becomes } = within(30_000);

/** Events as they happen, in a page that is open. */

let guarded: Guarded;
let red: string;
let blue: string;
beforeAll(async () => {
  guarded = await startGuarded();
  red = (await guarded.key({ principal: 'deployer' })).secret;
  blue = (await guarded.key({ tenant: 'blue' })).secret;
});

const post = async (path: string, body: object, secret = red) =>
  (await ask<CommandBody>(`${guarded.service.url}/v1/sessions${path}`, { body, headers: by(secret) })).body;
const beyond401 = (complaints: readonly string[]) => complaints.filter((text) => !/status of 401/.test(text));
const LISTENING = /^Listening/;
const status = (page: Page, text: string | RegExp) => page.getByRole('status').filter({ hasText: text });
const rowsOf = (page: Page, text: string) => page.locator('tbody tr').filter({ hasText: text });

async function opened(query = '', credential = red) {
  const { page, complaints } = await open(`${guarded.service.url}/console/tail${query}`);
  await signIn(page, credential);
  await status(page, LISTENING).waitFor();
  return { page, complaints };
}

testInBrowser("a tenant's events come as they happen, and lead to their scope and session", async () => {
  const { page, complaints } = await opened();
  const userId = newUser();
  const [first, other] = [await post('', { userId, owner: cloudDev }), newUser()];
  await post('', { userId: other, owner: cloudDev }, blue);
  await post('', { userId, owner: cloudDebug });
  await post(`/${first.session.sessionId}/end`, { epoch: 1, origin: cloudDev, reason: 'late' });
  await rowsOf(page, 'Stop ignored: superseded').waitFor();
  const what = await rowsOf(page, userId).locator('td:nth-child(3)').allTextContents();
  expect(what.map((text) => text.split(/[ :]/)[0])).toEqual(['Stop', 'Session', 'Superseded', 'Session']);
  await becomes(() => rowsOf(page, other).count(), 0);
  expect(await lookAt(page, 'tail')).toEqual([]);
  await rowsOf(page, userId).first().getByRole('link', { name: userId }).click();
  await page.getByRole('heading', { name: 'Who owned it' }).waitFor();
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser('filters stand in the address, and hold for what comes', async () => {
  const { page, complaints } = await opened('?type=SessionStarted');
  const userId = newUser();
  const start = (projectId: string, environment: string) =>
    post('', { userId, projectId, owner: { environment } });
  const { session } = await start('a/b', 'night');
  await post(`/${session.sessionId}/release`, { epoch: 1 });
  await start('c', 'day');
  await rowsOf(page, `${userId} · c`).waitFor();
  await becomes(() => rowsOf(page, userId).count(), 2);
  await page.getByLabel('project contains').fill('a/');
  await page.getByLabel('project contains').press('Enter');
  await page.waitForURL((url) => url.search === '?project=a%2F&type=SessionStarted');
  await becomes(() => rowsOf(page, userId).count(), 1);
  await page.getByLabel('environment contains').fill('da');
  await page.getByLabel('environment contains').press('Tab');
  await page.waitForURL((url) => url.searchParams.get('environment') === 'da');
  await becomes(() => rowsOf(page, userId).count(), 0);
  await start('a/c', 'today');
  await start('a/d', 'night');
  await start('a/e', 'evening');
  await start('a/f', 'day');
  await rowsOf(page, 'a/f').waitFor();
  await becomes(() => rowsOf(page, userId).count(), 2);
  await page.goBack();
  await page.waitForURL((url) => url.search === '?project=a%2F&type=SessionStarted');
  await becomes(() => page.getByLabel('environment contains').inputValue(), '');
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser('a page that is paused counts what waits, and shows it afterwards', async () => {
  const { page } = await opened();
  const userId = newUser();
  await page.getByRole('button', { name: 'Pause' }).click();
  await post('', { userId, owner: cloudDev });
  await post('', { userId, owner: cloudDebug });
  await status(page, 'Paused: 3 events wait.').waitFor();
  await becomes(() => rowsOf(page, userId).count(), 0);
  expect(await lookAt(page, 'tail-paused')).toEqual([]);
  await page.getByRole('button', { name: 'Resume' }).click();
  await rowsOf(page, userId).first().waitFor();
  await becomes(() => rowsOf(page, userId).count(), 3);
  await page.close();
});

testInBrowser(
  'a busy ledger fills no more than a thousand rows, the newest, also while it is paused',
  async () => {
    const { page } = await opened();
    const operator = (await guarded.key({ permissions: ['read', 'write', 'operate'] })).secret;
    await page.getByRole('button', { name: 'Pause' }).click();
    await seedCurrent({ url: guarded.service.url, token: operator }, 1_500, 'busy-');
    await status(page, 'Paused: 1,000 or more events wait.').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    const last = newUser();
    await post('', { userId: last, owner: cloudDev });
    await rowsOf(page, last).waitFor();
    await becomes(() => page.locator('tbody tr').count(), 1_000);
    await page.close();
  },
);

testInBrowser(
  'it goes on after the service was away, and says from when to when nothing was heard',
  async () => {
    const { page } = await opened();
    await guarded.service.restart();
    await rowsOf(page, 'Disconnected from').waitFor();
    const userId = newUser();
    await post('', { userId, owner: cloudDev });
    await rowsOf(page, userId).waitFor();
    await page.close();
  },
);

testInBrowser('a tab that nobody sees lets its stream go, and comes back when it is seen', async () => {
  const { page } = await opened();
  const streams = async () => {
    const { text } = await ask(`${guarded.service.url}/metrics`, { headers: by(guarded.admin) });
    return Number(/^ledger_streams (.*)$/m.exec(text)?.[1]);
  };
  const comesTo = async (wanted: number) => {
    while ((await streams()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const see = (isSeen: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${!isSeen} });
      document.dispatchEvent(new Event('visibilitychange'))`);
  const before = await streams();
  await see(false);
  await comesTo(before - 1);
  await see(true);
  await comesTo(before);
  await rowsOf(page, 'Disconnected from').waitFor();
  await page.close();
});

testInBrowser(
  'a ledger-wide key sees all tenants, and misses nothing when the service was away',
  async () => {
    const { page, complaints } = await opened('', guarded.admin);
    const [mine, theirs] = [newUser(), newUser()];
    await post('', { userId: mine, owner: cloudDev });
    await post('', { userId: theirs, owner: cloudDev }, blue);
    await rowsOf(page, mine).getByRole('cell', { name: 'red', exact: true }).waitFor();
    await rowsOf(page, theirs).getByRole('cell', { name: 'blue', exact: true }).waitFor();
    expect(await lookAt(page, 'tail-all')).toEqual([]);
    expect(beyond401(complaints)).toEqual([]);
    await guarded.service.restart();
    const userId = newUser();
    await post('', { userId, owner: cloudDev });
    await rowsOf(page, userId).waitFor();
    await becomes(() => rowsOf(page, 'Disconnected from').count(), 0);
    await page.close();
  },
);
