import { readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Most files that stand in one folder: what can be looked over at once. */
const MOST_FILES = 25;

const files = ['apps', 'docker', 'docs', 'examples', 'libs', 'test'].flatMap((top) =>
  filesBelow(join(root, top)),
);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['node_modules', '.venv', '__pycache__'].includes(entry.name) ? [] : filesBelow(path);
    return relative(root, path);
  });
}

function grouped(by: (file: string) => string, some: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const file of some) groups.set(by(file), [...(groups.get(by(file)) ?? []), file]);
  return groups;
}

/** What every room or program has, under the same name in each. */
const IN_MANY = ['index.ts', 'main.ts', 'errors.ts', 'options.ts', 'statements.ts', 'version.ts'];
/** These call an operation alike: what it is asked with, how it is served, and what a ledger does for it. */
const OF_AN_OPERATION = [
  'libs/api/schemas',
  'libs/api/serve',
  'libs/log',
  'libs/access',
  'libs/memory-ledger',
];

/** Of one name, and not because they say the same about the same thing. */
function isConfusing(name: string, places: readonly string[]): boolean {
  if (IN_MANY.includes(name)) return false;
  // The command line's are called as one types them.
  const rest = places.filter((file) => !file.startsWith('apps/cli/commands/'));
  const sides = rest.map((file) => OF_AN_OPERATION.find((side) => file.startsWith(`${side}/`)));
  return rest.length > 1 && (sides.includes(undefined) || new Set(sides).size < sides.length);
}

test('no folder holds more files than can be looked over', () => {
  expect(files.length).toBeGreaterThan(500);
  // Decisions are a log: they are numbered, and nobody looks them over.
  const lookedOver = files.filter((file) => dirname(file) !== 'docs/decisions');
  const full = [...grouped(dirname, lookedOver)].filter(([, inside]) => inside.length > MOST_FILES);
  expect(full.map(([folder, inside]) => `${folder} holds ${inside.length} files`)).toEqual([]);
});

test('source files of one name say the same about the same thing', () => {
  const sources = files.filter(
    (file) =>
      /^(apps|libs)\/.*\.ts$/.test(file) && !/\.test\.ts$|\/testing\/|\/generated\/|specification/.test(file),
  );
  const confusing = [...grouped((file) => basename(file), sources)].filter(([name, places]) =>
    isConfusing(name, places),
  );
  expect(confusing.map(([, places]) => places.join(', '))).toEqual([]);
});
