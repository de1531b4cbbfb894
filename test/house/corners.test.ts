import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMAND_TYPES, CURRENT_STATUSES, EVENT_TYPES, OUTCOMES, REFUSALS, STATUSES } from '#session';

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

const page = (file: string) => readFileSync(join(root, file), 'utf8');
const missingIn = (text: string, words: readonly string[]) =>
  words.filter((word) => !new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(text));

test('the page of commands tells of every command, event, outcome and refusal', () => {
  const words = [...COMMAND_TYPES, ...EVENT_TYPES, ...[...OUTCOMES, ...REFUSALS].map((one) => `\`${one}\``)];
  expect(missingIn(table, words)).toEqual([]);
});

test('every command has a test in the corners', () => {
  const files = readdirSync(join(root, 'libs/session/corners')).filter((file) => file !== 'promises.test.ts');
  const tests = files.map((file) => page(`libs/session/corners/${file}`)).join('\n');
  const sent = COMMAND_TYPES.filter(
    (type) => !tests.includes(type) && !tests.includes(`${type.charAt(0).toLowerCase()}${type.slice(1)}(`),
  );
  expect(sent).toEqual([]);
});

test('every status is a word of the concepts, and has a colour in the console', () => {
  expect(
    missingIn(
      page('docs/concepts.md'),
      STATUSES.map((status) => `\`${status}\``),
    ),
  ).toEqual([]);
  const style = page('apps/console/style.css');
  // In the light page, and twice in the dark one: as chosen, and as the system says.
  const coloured = STATUSES.filter((status) => style.split(`  --${status}: #`).length === 4);
  expect(coloured).toEqual(STATUSES);
  expect(CURRENT_STATUSES.filter((status) => !style.includes(`  --status: var(--${status});`))).toEqual([]);
});
