import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** A file of a key that cannot be used, or is missing; the message says what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/**
 * Who else may read it: nobody, or its group where root owns it and we are not root, as containers are given secrets. That is
 * Postgres' rule for the keys of its certificates.
 */
const othersOf = (owner: number) => (owner === 0 && process.getuid?.() !== 0 ? 0o037 : 0o077);

/**
 * Reads a file that nobody but its owner may read.
 *
 * @throws KeyFileError, which never quotes a file's content
 */
export function readKeyFile(file: string): string {
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new KeyFileError(`${file} is no file`);
    const { mode, uid } = found;
    if (mode & othersOf(uid)) {
      throw new KeyFileError(
        `${file}: others than its owner may read it (mode ${(mode & 0o777).toString(8)}): chmod 600 it`,
      );
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/**
 * Writes a file that is not there yet, for its owner alone. It is on the disk when this returns; whatever interrupts it
 * leaves all of it or none.
 *
 * @throws KeyFileError
 */
export function writeKeyFile(file: string, text: string): void {
  const beside = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeFileSync(beside, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(beside, file); // which takes the place of no other file
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new KeyFileError(
      code === 'EEXIST' ? `${file} is there already` : `${file} cannot be written: ${code}`,
    );
  } finally {
    rmSync(beside, { force: true });
  }
  syncKeyFile(file);
}

/** Returns when a file that is there is on the disk, whoever wrote it. */
export function syncKeyFile(file: string): void {
  for (const path of [file, dirname(file)]) {
    const opened = openSync(path, 'r');
    try {
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
  }
}
