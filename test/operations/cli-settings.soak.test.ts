import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '#dev-stack';

// What the command line says of settings that are wrong: at once, in a line, by the name of the setting.
const main = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'session-ledger-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const options = { env: { PATH: process.env.PATH, ...env }, cwd: folder, timeout: 60_000 };
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [main, ...args], options, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

test.each([
  ['LEDGER_TOKEN', 'slt_XbY4Hij2qs\nS6ab', 'holds a line break'],
  ['LEDGER_TOKEN', 'slt_XbY4Hij2qsü', 'holds a character that no header can carry'],
  ['LEDGER_TOKEN_FILE', join(folder, 'none'), 'there is no such file'],
  ['LEDGER_TOKEN_FILE', folder, 'it is a directory'],
])('%s that cannot be used is named', async (name, value, why) => {
  const url = `http://127.0.0.1:${await freePort()}`;
  for (const command of [
    ['current', 'ada'],
    ['tail', '--follow'],
    ['keys', 'list'],
  ]) {
    const { code, out, err } = await run([...command, '--url', url], { [name]: value });
    expect([code, out, err]).toEqual([2, '', expect.stringMatching(new RegExp(`^${name} .*${why}.*\n$`))]);
    expect(err).not.toContain('XbY4');
  }
});

test('where no ledger answers, the last line says what to do', async () => {
  const { code, err } = await run(['current', 'ada', '--url', `http://127.0.0.1:${await freePort()}`]);
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(
      /^no answer from the ledger .*ECONNREFUSED.*\nIs the ledger running\? .*npm start.*--url.*\n$/,
    ),
  ]);
});

test.each([
  [['start', 'ada', '--as', 'dev', '--lease', '2592001'], 'a whole number from 1 to 2592000'],
  [['current', 'ada', '--url', 'http://127.0.0.1:99999'], 'an address that begins with http'],
  [['current', 'ada', '--url', 'http://127.0.0.1:1'], 'the port in --url'],
  [['archive', '--older-than', 'soon', '--to', '.'], 'It has to be hours, days or weeks'],
  [['keys', 'revoke', '4fGh2kLmN0', '--issuer', 'a', '--subject', 'b'], 'not both'],
  [['keys', 'revoke', '4fGh2kLmN0', '--subject', 'b'], 'not both'],
  [['keys', 'revoke', '--offline', '--issuer', '', '--subject', 'b'], '--issuer is empty'],
  [['keys', 'revoke', '--offline', '--issuer', 'a', '--subject', ''], '--subject is none'],
  [
    ['keys', 'rotate', '4fGh2kLmN0', '--overlap', '99999d'],
    '--overlap, in seconds, has to be at most 2592000',
  ],
])('%j is a command line that is wrong', async (args, why) => {
  const { code, out, err } = await run(args, { DATABASE_URL: 'postgres://127.0.0.1:1/none' });
  expect([code, out, err]).toEqual([2, '', expect.stringContaining(why)]);
});

describe.each([['--offline'], ['--url=http://127.0.0.1:1']])('a key that cannot be made %s', (where) => {
  const valid = { '--name': 'app', '--permissions': 'read', '--tenant': 'acme' };
  test.each([
    [{ '--name': '' }, '--name has to have at least 1 character'],
    [{ '--name': 'a\u001b[31mb' }, '--name has to be: 1 to 128 characters'],
    [{ '--permissions': '' }, '--permissions has to have at least 1 item'],
    [{ '--expires': '0m' }, '--expires, in seconds, has to be at least 1'],
    [{ '--expires': '99999d' }, '--expires, in seconds, has to be at most 315360000'],
    [{ '--environments': '' }, '--environments has to have at least 1 item'],
    [{ '--tenant': 'a b' }, '--tenant has to be: A-Z, a-z'],
    [{ '--principal': '"' }, '--principal has to be: 1 to 256 printable'],
  ])('%j', async (wrong, why) => {
    const options = Object.entries({ ...valid, ...wrong }).map(([name, value]) => `${name}=${value}`);
    const ran = await run(['keys', 'create', where, ...options], {
      DATABASE_URL: 'postgres://127.0.0.1:1/x',
    });
    expect([ran.code, ran.out, ran.err]).toEqual([2, '', expect.stringContaining(why)]);
  });
});

test('a database that is not reached has made no key, and none is left in doubt', async () => {
  const args = ['keys', 'create', '--offline', '--ledger-wide', '--permissions', 'admin', '--name', 'x'];
  const { code, err } = await run(args, { DATABASE_URL: 'postgres://u:s3cret@127.0.0.1:1/h' });
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/^Postgres cannot be used: connect ECONNREFUSED 127.0.0.1:1\n$/),
  ]);
});

test('times are shown as they are written', async () => {
  expect((await run(['access-log', '--help'])).out).toContain('(default: 7d)');
  expect((await run(['keys', 'rotate', '--help'])).out).toContain('(default: 24h)');
});
