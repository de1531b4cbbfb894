import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const table = readFileSync(join(root, 'docs/commands.md'), 'utf8');
const anchors = [...table.matchAll(/<a id="(corner-\d+)"><\/a>/g)].map(([, anchor]) => anchor);

/** Every link to a row of the table of corners, and where it stands. */
const links = ['apps', 'docs', 'libs', 'test'].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|md|sql)$/.test(file) && !file.includes('node_modules'))
    .flatMap((file) => {
      const text = readFileSync(join(root, top, file), 'utf8');
      const found = text.matchAll(
        file === 'commands.md' ? /\]\(#(corner-\w+)\)/g : /commands\.md#(corner-\w+)/g,
      );
      return [...found].map(([, anchor = '']) => ({ file: join(top, file), anchor }));
    }),
);

test('whoever names a corner links a row that is there', () => {
  expect(anchors.length).toBeGreaterThan(10);
  expect(links.filter(({ anchor }) => !anchors.includes(anchor))).toEqual([]);
});

test('every corner has a test that names it', () => {
  const tested = links
    .filter(({ file }) => file.startsWith('libs/session/corners/'))
    .map(({ anchor }) => anchor);
  expect(anchors.filter((anchor) => anchor && !tested.includes(anchor))).toEqual([]);
});
