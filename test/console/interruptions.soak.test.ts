import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { currentLane, happened, open, openTabs, scopeAddress, testInBrowser, timelineOf } from './browser.js';

let service: Service;
beforeEach(async () => {
  service = await startService();
});

const start = async (userId: string, owner = cloudDev) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner } })).body.session;

testInBrowser('a page goes on after the service was away, without a reload', async () => {
  const userId = newUser();
  await start(userId);
  const { page } = await open(scopeAddress(service, userId));
  await currentLane(page, 0);
  await page.evaluate('window.notReloaded = true');
  await service.stop('SIGKILL');
  await page.locator('.trouble').waitFor();
  await service.restart();
  await start(userId, cloudDebug);
  await currentLane(page, 1);
  await page.locator('.trouble').waitFor({ state: 'detached' });
  expect(await page.evaluate('window.notReloaded')).toBe(true);
  expect(await timelineOf(page).getAttribute('data-events')).toBe('3');
  await page.close();
});

/** As the browser says it when another tab is chosen. */
const seen = (isSeen: boolean) => `
  Object.defineProperty(document, 'hidden', { configurable: true, value: ${!isSeen} });
  document.dispatchEvent(new Event('visibilitychange'))`;
const streams = async () => {
  const { text } = await ask(`${service.url}/metrics`);
  return Number(/^ledger_streams (\d+)/m.exec(text)?.[1]);
};
const untilStreams = async (wanted: number) => {
  for (let asked = 0; asked < 300 && (await streams()) !== wanted; asked++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await streams()).toBe(wanted);
};

testInBrowser('a tab that nobody sees has no stream, and catches up when it is seen again', async () => {
  const userId = newUser();
  await start(userId);
  const { page, complaints } = await open(scopeAddress(service, userId));
  await currentLane(page, 0);
  await untilStreams(1);
  await page.evaluate(seen(false));
  await untilStreams(0);
  await start(userId, cloudDebug);
  await page.evaluate(seen(true));
  await currentLane(page, 1);
  expect(complaints).toEqual([]);
  await page.close();
});

// More than a browser has connections to one service.
testInBrowser('of a dozen tabs four have a stream; the others ask, and show the same', async () => {
  const userId = newUser();
  await start(userId);
  const tabs = await openTabs(scopeAddress(service, userId), 12);
  await Promise.all(tabs.map(({ page }) => currentLane(page, 0)));
  await untilStreams(4);
  await start(userId, cloudDebug);
  await Promise.all(tabs.map(({ page }) => currentLane(page, 1)));
  await Promise.all(tabs.map(({ page }) => happened(page, 'Superseded')));
  expect(await streams()).toBe(4);
  expect(tabs.flatMap(({ complaints }) => complaints)).toEqual([]);
  // Whoever is gone leaves its place to another.
  await Promise.all(tabs.splice(0, 6).map(({ page }) => page.close()));
  await untilStreams(4);
  await tabs[0]?.page.context().close();
});
