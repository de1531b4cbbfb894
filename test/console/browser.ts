import { existsSync, mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page, type Route } from 'playwright-core';
import { ask } from '../support/http.js';

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

export const PICTURES = 'dist/test/console';
mkdirSync(PICTURES, { recursive: true });

export interface Opened {
  page: Page;
  /** What the page wrote as an error, threw, or was forbidden by its policy. */
  complaints: string[];
}

async function launch(): Promise<Browser> {
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
  return browser;
}

/** Opens a place of the console in a browser of its own, as far as storage and connections go. */
export async function open(address: string): Promise<Opened> {
  const [opened] = await openTabs(address, 1);
  return opened!;
}

/** Opens it in so many tabs of one browser: they share its connections and locks. */
export async function openTabs(address: string, count: number): Promise<Opened[]> {
  const context = await (await launch()).newContext({ viewport: { width: 1320, height: 860 } });
  const tabs: Opened[] = [];
  for (let tab = 0; tab < count; tab++) {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(address, { waitUntil: 'commit' });
    tabs.push({ page, complaints });
  }
  return tabs;
}

/** The address of a scope's page. */
export const scopeAddress = ({ url }: { url: string }, userId: string, projectId = 'default') =>
  `${url}/console/scope?${new URLSearchParams({ userId, projectId })}`;

export const timelineOf = (page: Page) => page.locator('canvas.timeline');

/** Resolves when the session that is current stands in this lane. */
export const currentLane = (page: Page, lane: number) =>
  timelineOf(page)
    .and(page.locator(`[data-current="${lane}"]`))
    .waitFor();

/** Resolves when the table of what happened says so. */
export const happened = (page: Page, what: string) => page.locator('tbody').getByText(what).first().waitFor();

/**
 * What the service answers to a request of the page. Not by `route.fetch`: its connections are kept for all tests of a
 * file, and one that a service had closed when it was restarted is used again.
 */
export async function answerTo(route: Route): Promise<{ status: number; text: string }> {
  const request = route.request();
  const body = request.postData();
  const asked = { method: request.method(), headers: request.headers() };
  return await ask(request.url(), { ...asked, ...(body !== null && { body }) });
}

/** Has the page see other JSON than the service answers. */
export async function changeAnswers(page: Page, to: string, change: (text: string) => string): Promise<void> {
  await page.route(to, async (route) => {
    const { status, text } = await answerTo(route);
    await route.fulfill({ status, contentType: 'application/json', body: change(text) });
  });
}

/** A change for `changeAnswers`. */
export function without(name: string): (text: string) => string {
  return (text) => JSON.stringify({ ...JSON.parse(text), [name]: undefined });
}
