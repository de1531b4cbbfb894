import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// What a program loads, it makes its user wait for: it loads what is needed for what was asked, and no more.
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

/** The packages and rooms of which a program loads a file: Node lists those that ran, whoever imported them. */
async function loaded(args: readonly string[]): Promise<string[]> {
  const coverage = mkdtempSync(join(folder, 'run-'));
  const env = { PATH: process.env.PATH, LEDGER_URL: url, NODE_V8_COVERAGE: coverage };
  await new Promise((resolve) => execFile(process.execPath, args, { env, cwd: folder }, resolve));
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

/** What a command line loads. */
const loadedBy = (args: readonly string[]) => loaded([join(root, 'dist/apps/cli/main.js'), ...args]);

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

test('help loads no schemas', async () => {
  const packages = await loadedBy(['--help']);
  expect(packages).toEqual(expect.arrayContaining(['libs/archive', 'libs/client']));
  expect(packages.filter((one) => ['typebox', 'kafkajs', 'jose'].includes(one))).toEqual([]);
});

test('a command that needs the database loads it', async () => {
  expect(await loadedBy(['verify', '--help'])).toEqual(expect.arrayContaining(['libs/log', 'pg']));
});

test('a service without Kafka, and without an issuer of tokens, loads nothing for them', async () => {
  const rooms = ['access', 'broker', 'dev-stack'].map((room) => join(root, `dist/libs/${room}/index.js`));
  const script = rooms.map((room) => `await import(${JSON.stringify(pathToFileURL(room).href)});`).join('');
  const packages = await loaded(['--input-type=module', '-e', script]);
  expect(packages).toEqual(expect.arrayContaining(['libs/access', 'libs/broker', 'libs/dev-stack']));
  expect(packages.filter((one) => ['kafkajs', 'jose'].includes(one))).toEqual([]);
});
