import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A checkout in which nothing is built, and no compiler is installed. */
const checkout = mkdtempSync(join(tmpdir(), 'session-ledger-checkout-'));
for (const part of ['package.json', 'apps/build'])
  cpSync(join(root, part), join(checkout, part), { recursive: true });
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

function run(...args: string[]) {
  const ran = spawnSync('npm', ['run', '--silent', ...args], { cwd: checkout, encoding: 'utf8' });
  return [ran.status, ran.stdout, ran.stderr];
}

test.each([['start:prod'], ['session-ledger', '--', '--help']])(
  '%s of nothing says what to do',
  (...args) => {
    expect(run(...args)).toEqual([1, '', 'Nothing is built here yet: run npm run build first.\n']);
  },
);

test('start without a compiler says what to do', () => {
  expect(run('start')).toEqual([1, '', 'The dependencies are not installed: run npm ci first.\n']);
  mkdirSync(join(checkout, 'node_modules'));
  expect(run('start')).toEqual([1, '', expect.stringMatching(/^The development .* npm run start:prod.*\n$/)]);
});
