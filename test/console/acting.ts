import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

/** What tests of the console do with a page, and look for in it. */

const PICTURES = 'dist/test/console';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// What is run in the page is text here: these files are checked without the types of a browser.
const VIOLATIONS =
  'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))';

/** Pictures of the page as it is, light and dark, and what axe finds in either. */
export async function lookAt(page: Page, name: string): Promise<unknown[]> {
  mkdirSync(PICTURES, { recursive: true });
  const found: unknown[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/${name}-${colorScheme}.png`, fullPage: true });
    await page.evaluate(AXE);
    found.push(...((await page.evaluate(VIOLATIONS)) as unknown[]).map((one) => [name, colorScheme, one]));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
}

export async function signIn(page: Page, credential: string): Promise<void> {
  await page.getByLabel('Key or token').fill(credential);
  await page.locator('form.sign-in').getByRole('button', { name: 'Sign in' }).click();
}

/** Everything in which a page could keep something beyond its memory, as text. */
export async function keptBy(page: Page): Promise<string> {
  const seen = await page.evaluate(`(async () => JSON.stringify({
    local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie, address: location.href,
    history: history.state, name: window.name, databases: await indexedDB.databases(), caches: await caches.keys(),
    asked: performance.getEntriesByType('resource').map(({ name }) => name), html: document.documentElement.outerHTML,
  }))()`);
  return `${seen}${JSON.stringify(await page.context().storageState({ indexedDB: true }))}`;
}
