import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { within } from '../support/until.js';
import { violationsIn } from './axe.js';
import { open, testInBrowser } from './browser.js';
import { seedCurrent } from './seed.js';

const { becomes, until } = within(20_000);
const PICTURES = 'dist/test/console';
mkdirSync(PICTURES, { recursive: true });
const COUNT = 100_000;
/** A page takes some hundredths of a second where nothing else runs; here much else may. */
const MOST_MS = 5_000;

let service: Service;
beforeAll(async () => {
  service = await startService();
  await seedCurrent(service, COUNT);
  // Once the read models have them all.
  for (;;) {
    const { body } = await ask<{ current: { total: number } }>(`${service.url}/v1/stats`);
    if (body.current.total === COUNT) break;
    await pause(200);
  }
}, 300_000);

/** What of the list is shown for a filter; in the order of the columns. */
const FILTERS: [string, Record<string, string>, RegExp | undefined][] = [
  ['nothing', {}, /./],
  ['an environment', { environment: 'laptop' }, /\slaptop \/ host-\d+\s/],
  ['an instance', { environment: 'laptop', instance: 'host-7' }, /\slaptop \/ host-7\s/],
  ['a status', { status: 'released' }, /\sreleased/],
  ['a project', { projectId: 'project-7' }, /\sproject-7\s/],
  ['advice to reset', { resetAdvised: 'true' }, /reset advised/],
  ['a lease that is over soon', { leaseWithin: '2d', sort: 'lease' }, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/],
  [
    'all of them',
    { status: 'active', environment: 'preview', projectId: 'project-4', sort: 'oldest' },
    /preview/,
  ],
  ['an age that none has', { olderThan: '7d' }, undefined],
  ['what there is not', { environment: 'nowhere', status: 'ending' }, undefined],
];

testInBrowser(
  'of 100,000 current sessions the first page of every filter comes soon, by its address',
  async () => {
    const { page, complaints } = await open(`${service.url}/console/sessions`);
    const times: Record<string, number> = {};
    for (const [name, filter, row] of FILTERS) {
      const begun = performance.now();
      await page.goto(`${service.url}/console/sessions?${new URLSearchParams(filter)}`);
      const rows = page.locator('main tbody tr');
      if (row === undefined) await page.getByText('No current session matches.').waitFor();
      else await rows.first().waitFor();
      times[name] = Math.round(performance.now() - begun);
      const texts = await rows.allInnerTexts();
      expect([name, texts.length]).toEqual([name, row === undefined ? 0 : 100]);
      for (const text of texts) expect(text).toMatch(row!);
      for (const [field, value] of Object.entries(filter)) {
        const input = page.locator(`.filters [name=${field}]`);
        if (field === 'resetAdvised') expect(await input.isChecked()).toBe(true);
        else expect([field, await input.inputValue()]).toEqual([field, value]);
      }
    }
    console.log('first page, from the address to its rows, in ms', times);
    expect(Math.max(...Object.values(times))).toBeLessThan(MOST_MS);
    expect(complaints).toEqual([]);
    await page.close();
  },
  180_000,
);

testInBrowser(
  'the list is filtered by its form, sorted by its heads, and followed page by page',
  async () => {
    const { page, complaints } = await open(`${service.url}/console/sessions`);
    await page.locator('main tbody tr').first().waitFor();
    await page.screenshot({ path: `${PICTURES}/sessions.png` });
    expect(await violationsIn(page)).toEqual([]);
    await page.locator('.filters [name=environment]').fill('build-farm');
    await page.locator('.filters [name=olderThan]').fill('1s');
    await page.locator('.filters button').click();
    await page.waitForURL('**/console/sessions?environment=build-farm&olderThan=1s');
    await page.locator('.filters [name=status]').selectOption('starting');
    await page.waitForURL(/status=starting/);
    await page.getByRole('link', { name: 'Since (UTC)' }).click();
    await page.waitForURL(/sort=oldest/);
    await page.locator('th[aria-sort=ascending]').waitFor();

    const users = page.locator('main tbody td:first-child');
    const seen = new Set<string>();
    for (let turn = 1; turn <= 3; turn++) {
      await page.locator('main tbody tr').nth(99).waitFor();
      for (const user of await users.allInnerTexts()) seen.add(user);
      expect(seen.size).toBe(100 * turn);
      const [first] = await users.allInnerTexts();
      await page.getByRole('link', { name: 'Next page' }).click();
      await page.getByRole('link', { name: 'First page' }).waitFor();
      await until(async () => {
        const [now] = await users.allInnerTexts();
        return now !== undefined && now !== first;
      });
    }
    await page.goBack();
    await page.goBack();
    await page.goBack();
    expect(page.url()).not.toContain('next=');
    await becomes(() => page.locator('.filters [name=environment]').inputValue(), 'build-farm');

    await page.goto(`${service.url}/console/sessions?olderThan=soon`);
    await page.getByText('older than: enter a duration such as 30m, 12h or 7d').waitFor();
    await page.goto(`${service.url}/console/sessions?status=gone`);
    await page.getByText('status must be one of starting, active, released, ending.').waitFor();
    await page.goto(`${service.url}/console/sessions?next=nothing`);
    await page.locator('.trouble').waitFor();
    expect(complaints.filter((text) => !/status of 400/.test(text))).toEqual([]);
    await page.close();
  },
);
