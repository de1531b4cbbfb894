import { existsSync, readFileSync } from 'node:fs';
import { Option } from 'commander';
import { TlogError } from '#client';
import { CommandFailed, exitCodes } from '../../exit.js';

/** Whom to believe. */
export const keyOption = () =>
  new Option(
    '--key <vkey...>',
    "the ledger's verifier keys, or files of them, as you got them when you trusted it",
  )
    .env('LEDGER_AUDIT_VKEY')
    .makeOptionMandatory();

/** Keys as they stand there, or in files, one a line. */
export function keysIn(given: string | readonly string[]): string[] {
  const all = typeof given === 'string' ? given.split(/\s+/) : given;
  return all.flatMap((one) => (isKey(one) || !existsSync(one) ? [one] : linesOf(one)));
}

const isKey = (text: string): boolean => /^[^\s+]+\+[0-9a-f]{8}\+/.test(text);
const linesOf = (file: string): string[] =>
  readText(file)
    .split('\n')
    .filter((line) => line.trim() !== '');

/** A file's text, or in words why there is none. */
export function readText(file: string): string {
  return readBytes(file).toString('utf8');
}

export function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** What cannot be proven is said in a line, under an exit code of its own. */
export async function orUnsound<T>(what: string, proving: Promise<T>): Promise<T> {
  try {
    return await proving;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new CommandFailed(`${what}: NOT PROVEN (${error.fault}): ${error.message}`, exitCodes.unsound);
  }
}
