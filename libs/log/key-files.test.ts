import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { readKeyFile, writeKeyFile } from './key-files.js';

const isRoot = process.getuid?.() === 0;
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-files-'));
  file = join(folder, 'a.key');
  writeFileSync(file, 'a key');
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test.each([0o600, 0o400])('a file of its own that nobody else may read is read (mode %i)', (mode) => {
  chmodSync(file, mode);
  expect(readKeyFile(file)).toBe('a key');
});

test.each([0o640, 0o604, 0o660])('one of its own that others may read is refused (mode %i)', (mode) => {
  chmodSync(file, mode);
  expect(() => readKeyFile(file)).toThrow('others than its owner may read it');
});

(isRoot ? describe : describe.skip)("a file of root's, read by another account", () => {
  beforeEach(() => {
    jest.spyOn(process as Required<typeof process>, 'getuid').mockReturnValue(1_000);
  });

  test.each([0o640, 0o440])('may be readable by its group (mode %i)', (mode) => {
    chmodSync(file, mode);
    expect(readKeyFile(file)).toBe('a key');
  });

  test.each([0o644, 0o660])('may not be readable by all, or written by its group (mode %i)', (mode) => {
    chmodSync(file, mode);
    expect(() => readKeyFile(file)).toThrow('others than its owner may read it');
  });
});

test('a folder is no key', () => {
  expect(() => readKeyFile(folder)).toThrow(`${folder} is no file`);
});

describe('writing one', () => {
  test('makes it for its owner alone, and leaves nothing else', () => {
    const made = join(folder, 'new.key');
    writeKeyFile(made, 'secret');
    expect([statSync(made).mode & 0o777, readFileSync(made, 'utf8')]).toEqual([0o600, 'secret\n']);
    expect(readdirSync(folder).sort()).toEqual(['a.key', 'new.key']);
  });

  test('never takes the place of one that is there', () => {
    expect(() => writeKeyFile(file, 'secret')).toThrow(`${file} is there already`);
    expect([readFileSync(file, 'utf8'), readdirSync(folder)]).toEqual(['a key', ['a.key']]);
  });

  test('where that fails leaves nothing behind', () => {
    const nowhere = join(folder, 'none', 'a.key');
    expect(() => writeKeyFile(nowhere, 'secret')).toThrow(`${nowhere} cannot be written: ENOENT`);
    expect(readdirSync(folder)).toEqual(['a.key']);
  });
});
