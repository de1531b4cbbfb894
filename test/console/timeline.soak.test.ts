import { type Service, startService } from '../support/service.js';
import { newUser } from '../support/sessions.js';
import { open, testInBrowser } from './browser.js';
import { seedHistory } from './seed.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});

// What is run in the page is text here: these files are checked without the types of a browser.
const panned = `new Promise((resolve) => {
  const canvas = document.querySelector('canvas.timeline');
  const began = performance.now();
  let frames = 0;
  const frame = () => {
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: frames % 2 ? 'ArrowLeft' : 'ArrowRight', bubbles: true }));
    frames++;
    const passed = performance.now() - began;
    if (passed > 1500) resolve(frames / (passed / 1000));
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;

testInBrowser(
  'a timeline of 5,000 sessions is there within a second, and pans at 60 frames a second',
  async () => {
    const userId = newUser();
    await seedHistory({ url: service.url }, { userId, projectId: 'default', sessions: 5_000 });
    const began = performance.now();
    const { page } = await open(
      `${service.url}/console/scope?${new URLSearchParams({ userId, projectId: 'default' })}`,
    );
    await page.locator('canvas.timeline').waitFor();
    const firstMs = performance.now() - began;
    await page.getByText(/The newest 200 of \d{5}/).waitFor();
    const wholeMs = performance.now() - began;
    await page.locator('canvas.timeline').focus();
    const framesPerSecond = await page.evaluate<number>(panned);
    console.info(
      `first picture ${firstMs.toFixed(0)} ms, all ${wholeMs.toFixed(0)} ms, ${framesPerSecond.toFixed(0)} frames/s`,
    );
    expect(firstMs).toBeLessThanOrEqual(1_000);
    expect(framesPerSecond).toBeGreaterThanOrEqual(59); // 60, and the frame that was under way
    await page.close();
  },
);
