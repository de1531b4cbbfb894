import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// By its address: the build's own scripts are plain JavaScript.
const script = new URL('../../apps/build/build-console.js', import.meta.url).href;
const { buildConsole } = await import(script);

const root = mkdtempSync(join(tmpdir(), 'console-build-'));
const write = (name: string, text: string) => {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), text);
};
for (const room of ['api', 'audit', 'client', 'session', 'tlog', 'waiting'])
  write(`libs/${room}/index.ts`, room);
write('package-lock.json', '{}');
afterAll(() => rmSync(root, { recursive: true }));

let builds = 0;
const build = async () => {
  builds += 1;
  write('dist/console/index.html', 'built');
};
/** Whether it builds now. */
const isBuilt = async () => {
  const before = builds;
  await buildConsole(root, build);
  return builds > before;
};

test('the console is built when what it is made of has changed, and only then', async () => {
  expect(await isBuilt()).toBe(false); // there is none yet
  write('apps/console/vite.config.js', 'export default {};');
  expect([await isBuilt(), await isBuilt()]).toEqual([true, false]);

  utimesSync(join(root, 'apps/console/vite.config.js'), new Date(), new Date());
  expect(await isBuilt()).toBe(false);
  for (const name of [
    'apps/console/src/main.ts',
    'libs/client/index.ts',
    'libs/tlog/index.ts',
    'package-lock.json',
  ]) {
    write(name, 'changed');
    expect([name, await isBuilt(), await isBuilt()]).toEqual([name, true, false]);
  }
  write('libs/client/own.test.ts', 'a test');
  expect(await isBuilt()).toBe(false);

  rmSync(join(root, 'dist/console'), { recursive: true });
  expect([await isBuilt(), await isBuilt()]).toEqual([true, false]);
});

test('a build that failed is tried again', async () => {
  write('apps/console/src/main.ts', 'changed once more');
  const failing = async () => Promise.reject(new Error('a mistake in the console'));
  await expect(buildConsole(root, failing)).rejects.toThrow('a mistake in the console');
  expect(await isBuilt()).toBe(true);
});
