import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// What a command loads, it makes its user wait for: those that ask the ledger load what asking takes, and no more.
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'session-ledger-loads-'));
const ledger = createServer((_, response) => response.writeHead(404).end());
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => ledger.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(ledger.address() as AddressInfo).port}`;
});
afterAll(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The packages and rooms of which a command line loads a file: Node lists those that ran, whoever imported them. */
async function loadedBy(args: readonly string[]): Promise<string[]> {
  const coverage = mkdtempSync(join(folder, 'run-'));
  const env = { PATH: process.env.PATH, LEDGER_URL: url, NODE_V8_COVERAGE: coverage };
  const main = join(root, 'dist/apps/cli/main.js');
  await new Promise((resolve) => execFile(process.execPath, [main, ...args], { env, cwd: folder }, resolve));
  const scripts = readdirSync(coverage).flatMap(
    (file) => JSON.parse(readFileSync(join(coverage, file), 'utf8')).result as { url: string }[],
  );
  return [...new Set(scripts.map(({ url }) => placeOf(url)).filter((place) => place !== undefined))].sort();
}

function placeOf(url: string): string | undefined {
  return (
    /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? /\/dist\/((?:apps|libs)\/[^/]+)/.exec(url)?.[1]
  );
}

const ASKING = [
  'apps/cli',
  'commander',
  'libs/access',
  'libs/client',
  'libs/dev-stack',
  'libs/tlog',
  'libs/waiting',
];

test.each([
  ['current', 'ada'],
  ['sessions'],
  ['chain', 'ada'],
  ['history', 'ada'],
  ['tail'],
  ['stats'],
  ['release', 'ada', '--force'],
  ['end', 'ada', '--force', '--reason', 'gone'],
  ['bulk', '--job', '01920000-0000-7003-8000-000000000000'],
])('%s loads neither the database nor schemas', async (...args) => {
  expect(await loadedBy(args)).toEqual(ASKING);
});

test('start loads the rules of sessions besides', async () => {
  expect(await loadedBy(['start', 'ada', '--as', 'cloud-dev'])).toEqual([...ASKING, 'libs/session'].sort());
});

test('a command that needs the database loads it', async () => {
  expect(await loadedBy(['verify', '--help'])).toEqual(expect.arrayContaining(['libs/log', 'pg']));
});
