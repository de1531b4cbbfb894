import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const path = PLACES.find((place) => place !== undefined && existsSync(place));

/** Tests that need a browser are skipped where there is none. */
export const testInBrowser = path === undefined ? test.skip : test;
if (path === undefined)
  console.warn(
    'No browser was found: install chromium, or set CHROMIUM_PATH to one. These tests are skipped.',
  );

let browser: Browser | undefined;
afterAll(() => browser?.close());

export interface Opened {
  page: Page;
  /** What the page wrote as an error, threw, or was forbidden by its policy. */
  complaints: string[];
}

/** Opens a place of the console in a tab of its own. */
export async function open(address: string): Promise<Opened> {
  browser ??= await chromium.launch({
    executablePath: path!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const page = await browser.newPage({ viewport: { width: 1320, height: 860 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(address, { waitUntil: 'commit' });
  return { page, complaints };
}
