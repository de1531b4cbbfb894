import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { ask } from '../support/http.js';
import { freshDatabase } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';

jest.setTimeout(300_000);

// The service and its command line as npm installs them elsewhere, from what would be published.
const root = fileURLToPath(new URL('../..', import.meta.url));
const inHome = { encoding: 'utf8', timeout: 240_000 } as const;
let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'session-ledger-npm-'));
  writeFileSync(join(home, 'package.json'), '{"private":true}');
  writeFileSync(join(home, '.npmrc'), 'ignore-scripts=true\n');
  const pack = ['pack', '--silent', '--pack-destination', home];
  const packed = execFileSync('npm', pack, { ...inHome, cwd: root }).trim();
  const install = ['install', '--silent', '--no-audit', '--omit=optional', `./${packed}`];
  execFileSync('npm', install, { ...inHome, cwd: home });
}, 300_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('it holds what runs, and nothing of what makes or tests it', () => {
  const installed = join(home, 'node_modules/session-ledger');
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/apps/ledger/main.js']));
  expect(files).toContain('dist/libs/log/sql/migrations/001_ledger.sql');
  expect(files.filter((file) => /\.ts$|\.map$|test|^(libs|apps|docs|examples)/.test(file))).toEqual([]);
});

test('its programs make a ledger, serve it, and ask it', async () => {
  const bin = (name: string) => join(home, 'node_modules/.bin', name);
  const env = { ...process.env, DATABASE_URL: await freshDatabase(), KAFKA_BROKERS: 'none', PORT: '0' };
  execFileSync(bin('session-ledger'), ['migrate', '--partitions', '4'], { ...inHome, cwd: home, env });
  const service = spawn(bin('session-ledger-server'), { cwd: home, env });
  const ended = once(service, 'exit');
  let [said, wrong] = ['', ''];
  service.stderr.on('data', (piece) => {
    wrong += piece;
  });
  const url = await new Promise<string>((resolve) => {
    service.stdout.on('data', (piece) => {
      said += piece;
      const [, address] = /^Ledger on (\S+), 4 partitions/m.exec(said) ?? [];
      if (address) resolve(address);
    });
  });
  const userId = newUser();
  expect((await ask(`${url}/v1/sessions`, { body: { userId, owner: cloudDev } })).status).toBe(201);
  const shown = execFileSync(bin('session-ledger'), ['current', userId, '--json', '--url', url], {
    ...inHome,
    cwd: home,
  });
  expect(JSON.parse(shown)).toMatchObject({ status: 'active' });
  expect((await fetch(`${url}/docs`)).status).toBe(200);
  service.kill('SIGTERM');
  expect([(await ended)[0], wrong]).toEqual([0, '']);
});
