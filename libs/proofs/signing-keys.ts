import { existsSync } from 'node:fs';
import { makeSigningKey, parseSigningKey, type SigningKey } from '#audit';
import { KeyFileError, readKeyFile, writeKeyFile } from '#log';

/**
 * Reads keys, each from a file of its own, by which nobody but its owner may go. All have to be of the ledger's name.
 *
 * @throws KeyFileError, which never quotes a file's content
 */
export function readSigningKeys(files: readonly string[], name: string): SigningKey[] {
  const keys = files.map((file) => readSigningKey(file));
  for (const [at, key] of keys.entries()) {
    if (key.name === name) continue;
    throw new KeyFileError(
      `${files[at]}: the key is called ${key.name}, and this ledger ${name}. Make one with ` +
        `session-ledger audit keygen --origin ${name}, or set LEDGER_ORIGIN=${key.name}.`,
    );
  }
  return keys;
}

/**
 * Writes a new key into a file that is not there yet, for its owner alone.
 *
 * @throws KeyFileError
 */
export function makeKeyFile(file: string, name: string): SigningKey {
  const text = makeSigningKey(name);
  writeKeyFile(file, text);
  return parseSigningKey(text);
}

/** The key of a ledger that has its data here: made when it is first needed. @throws KeyFileError */
export function ownSigningKey(file: string, name: string): SigningKey {
  const [key] = existsSync(file) ? readSigningKeys([file], name) : [makeKeyFile(file, name)];
  return key as SigningKey;
}

/** Reads one key, whatever it is called. @throws KeyFileError */
export function readSigningKey(file: string): SigningKey {
  const text = readKeyFile(file);
  try {
    return parseSigningKey(text);
  } catch (error) {
    throw new KeyFileError(`${file}: ${(error as Error).message}`);
  }
}
