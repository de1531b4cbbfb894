import { type Service, startService } from '../support/service.js';
import { newUser } from '../support/sessions.js';
import { open, scopeAddress, testInBrowser, timelineOf } from './browser.js';
import { seedHistory } from './seed.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});

testInBrowser('the table shows what the picture shows', async () => {
  const userId = newUser();
  await seedHistory(service, { userId, sessions: 320 });
  const { page } = await open(scopeAddress(service, userId));
  await page.getByText('The newest 200 of the').waitFor();
  const rows = page.locator('tbody tr');
  const firstRow = await rows.first().textContent();
  await timelineOf(page).focus();
  for (let zoomed = 0; zoomed < 6; zoomed++) await page.keyboard.press('+');
  await page.getByText(/^The \d+ events in view/).waitFor();
  expect(await rows.count()).toBeLessThan(200);
  await page.keyboard.press('0');
  await page.getByText('The newest 200 of the').waitFor();
  expect(await rows.first().textContent()).toBe(firstRow);
  await page.close();
});
