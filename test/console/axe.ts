import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// What is run in the page is text here: these files are checked without the types of a browser.
const violations =
  'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0]?.html]))';

/** What axe finds wrong with a page as it is now, in light and in dark. */
export async function violationsIn(page: Page): Promise<unknown[]> {
  await page.evaluate(axe);
  const found: unknown[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const these = (await page.evaluate(violations)) as unknown[];
    found.push(...these.map((one) => [colorScheme, one]));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
}
