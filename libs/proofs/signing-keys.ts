import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { makeSigningKey, parseSigningKey, type SigningKey } from '#audit';

/** A file of a signing key that cannot be used; the message says what to do. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

/** For others than its owner. */
const OTHERS = 0o077;

/**
 * Reads keys, each from a file of its own, by which nobody but its owner may go. All have to be of the ledger's name.
 *
 * @throws SigningKeyError, which never quotes a file's content
 */
export function readSigningKeys(files: readonly string[], name: string): SigningKey[] {
  const keys = files.map((file) => readSigningKey(file));
  for (const [at, key] of keys.entries()) {
    if (key.name === name) continue;
    throw new SigningKeyError(
      `${files[at]}: the key is called ${key.name}, and this ledger ${name}. Make one with ` +
        `session-ledger audit keygen --origin ${name}, or set LEDGER_ORIGIN=${key.name}.`,
    );
  }
  return keys;
}

/**
 * Writes a new key into a file that is not there yet, for its owner alone.
 *
 * @throws SigningKeyError
 */
export function makeKeyFile(file: string, name: string): SigningKey {
  const text = makeSigningKey(name);
  try {
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SigningKeyError(
      code === 'EEXIST' ? `${file} is there already` : `${file} cannot be written: ${code}`,
    );
  }
  return parseSigningKey(text);
}

/** The key of a ledger that has its data here: made when it is first needed. @throws SigningKeyError */
export function ownSigningKey(file: string, name: string): SigningKey {
  const [key] = existsSync(file) ? readSigningKeys([file], name) : [makeKeyFile(file, name)];
  return key as SigningKey;
}

/** Reads one key, whatever it is called. @throws SigningKeyError */
export function readSigningKey(file: string): SigningKey {
  const text = read(file);
  try {
    return parseSigningKey(text);
  } catch (error) {
    throw new SigningKeyError(`${file}: ${(error as Error).message}`);
  }
}

function read(file: string): string {
  try {
    const { mode } = statSync(file);
    if (mode & OTHERS) {
      throw new SigningKeyError(
        `${file}: others than its owner may read it (mode ${(mode & 0o777).toString(8)}): chmod 600 it`,
      );
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof SigningKeyError) throw error;
    throw new SigningKeyError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
