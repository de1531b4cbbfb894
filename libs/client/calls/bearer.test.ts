import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { CredentialError, type LedgerError, NoAnswer } from '../errors.js';
import { LedgerClient, type LedgerOptions } from '../ledger-client.js';
import { tokenFromEnvironment } from '../node.js';

const SECRET = 'slt_XbY4Hij2qs0123456789';
const folder = mkdtempSync(join(tmpdir(), 'session-ledger-token-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Asks once, alone or with another one in a list, and counts what was sent. */
async function asked(token: LedgerOptions['token'], more: Partial<LedgerOptions> = {}) {
  const sent: string[] = [];
  const send: typeof fetch = async (_, init) => {
    sent.push(new Headers(init?.headers).get('authorization') ?? '');
    throw new TypeError('nobody there');
  };
  const ledger = new LedgerClient({ url: 'http://ledger', token, fetch: send, deadlineMs: 400, ...more });
  const start = () =>
    ledger
      .call('startSession', { body: { userId: 'ada', owner: { environment: 'dev' } } })
      .catch((error: LedgerError) => error);
  const [error] = await Promise.all([start(), start()]);
  return { error: error as LedgerError, sent };
}

const everything = (error: Error): string =>
  `${error.stack}${error.cause instanceof Error ? everything(error.cause) : ''}${JSON.stringify(error)}`;

test.each([
  [`${SECRET}\nS6ab`, /holds a line break/],
  [`${SECRET} S6ab`, /holds a blank/],
  [`${SECRET}ü`, /holds a character that no header can carry/],
  ['\n', /is empty/],
])('a token that no header can carry is an error at once, without the token: %j', async (token, why) => {
  const provider = jest.fn(async () => token);
  for (const gather of [true, false]) {
    for (const given of [token, provider]) {
      const { error, sent } = await asked(given, { gather, deadlineMs: 60_000 });
      expect(error).toBeInstanceOf(CredentialError);
      expect(error).toMatchObject({ outcomeUnknown: false, message: expect.stringMatching(why) });
      expect(everything(error)).not.toContain('XbY4');
      expect(sent).toEqual([]);
    }
  }
  expect(provider).toHaveBeenCalledTimes(3); // once for a list, and once for each that goes by itself
});

test('blanks around a token are no part of it', async () => {
  const { sent } = await asked(` ${SECRET}\r\n`, { gather: false });
  expect(sent).toContain(`Bearer ${SECRET}`);
});

test('a command that may have been obeyed says so, although its next attempt has no token', async () => {
  const tokens = [SECRET, 'no\ntoken'];
  const { error } = await asked(() => tokens.shift() ?? 'no\ntoken');
  expect(error).toBeInstanceOf(CredentialError);
  expect(error).toMatchObject({ outcomeUnknown: true, idempotencyKey: expect.any(String) });
});

test('a variable that holds no token, or names a file that cannot be read, is named at once', async () => {
  const bad = join(folder, 'bad');
  writeFileSync(bad, `${SECRET}\nS6ab\n`);
  for (const [env, why] of [
    [{ LEDGER_TOKEN: `${SECRET}\nS6ab` }, /^LEDGER_TOKEN holds a line break/],
    [{ LEDGER_TOKEN_FILE: bad }, /LEDGER_TOKEN_FILE .*holds a line break/],
    [{ LEDGER_TOKEN_FILE: join(folder, 'none') }, /LEDGER_TOKEN_FILE .*there is no such file/],
    [{ LEDGER_TOKEN_FILE: folder }, /LEDGER_TOKEN_FILE .*it is a directory/],
  ] as const) {
    const { error } = await asked(tokenFromEnvironment(env), { deadlineMs: 60_000 });
    expect(error).toBeInstanceOf(CredentialError);
    expect(error.message).toMatch(why);
    expect(everything(error)).not.toContain('XbY4');
  }
});

test('a file that was read before may be missing for a moment', async () => {
  const file = join(folder, 'rotated');
  writeFileSync(file, `${SECRET}\n`);
  const token = tokenFromEnvironment({ LEDGER_TOKEN_FILE: file }) as () => Promise<string>;
  const clock = jest.spyOn(performance, 'now');
  try {
    expect(await token()).toBe(SECRET);
    rmSync(file);
    expect(await token()).toBe(SECRET);
    clock.mockReturnValue(performance.now() + 2_000);
    await expect(token()).rejects.toThrow(/LEDGER_TOKEN_FILE .*there is no such file/);
    await expect(token()).rejects.not.toBeInstanceOf(CredentialError);
    writeFileSync(file, 'slt_next');
    expect(await token()).toBe('slt_next');
  } finally {
    clock.mockRestore();
  }
  rmSync(file);
  const again = tokenFromEnvironment({ LEDGER_TOKEN_FILE: file });
  expect((await asked(again)).error).not.toBeInstanceOf(NoAnswer);
});
