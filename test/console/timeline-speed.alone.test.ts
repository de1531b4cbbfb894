import { type Service, startService } from '../support/service.js';
import { newUser } from '../support/sessions.js';
import { open, PICTURES, scopeAddress, testInBrowser, timelineOf } from './browser.js';
import { seedHistory } from './seed.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});

/** Frames a second for a while, run in the page; `pan`: back and forth, as a hand does. */
const frames = (pan: boolean) => `(async () => {
  const canvas = document.querySelector('canvas.timeline');
  const times = [];
  for (let frame = 0; frame < 120; frame++) {
    const movementX = frame % 40 < 20 ? 9 : -9;
    const drag = { buttons: 1, movementX, clientX: 600, clientY: 300, bubbles: true };
    if (${pan}) canvas.dispatchEvent(new PointerEvent('pointermove', drag));
    times.push(await new Promise(requestAnimationFrame));
  }
  return ((times.length - 1) * 1000) / (times.at(-1) - times[0]);
})()`;

testInBrowser('a timeline of 5,000 sessions is soon seen, and follows the hand', async () => {
  const userId = newUser();
  await seedHistory(service, { userId });
  const { page, complaints } = await open(scopeAddress(service, userId));
  const opened = performance.now();
  await timelineOf(page).waitFor();
  const firstMs = Math.round(performance.now() - opened);
  await page.locator('.now[data-complete]').waitFor();
  const wholeMs = Math.round(performance.now() - opened);
  expect(Number(await timelineOf(page).getAttribute('data-spans'))).toBeGreaterThan(5_000);
  const [atRest, panning] = [
    await page.evaluate<number>(frames(false)),
    await page.evaluate<number>(frames(true)),
  ];
  console.info(
    `first picture ${firstMs} ms, whole ${wholeMs} ms; frames a second ${atRest.toFixed(0)} at rest, ${panning.toFixed(0)} panning`,
  );
  await page.screenshot({ path: `${PICTURES}/timeline.png` });
  // A machine with other work, and without a graphics card, shows fewer: most of them are left.
  expect(panning).toBeGreaterThan(atRest / 3);
  expect(complaints).toEqual([]);
  await page.close();
});
