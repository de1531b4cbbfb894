import { execFile } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files in PEM form. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Those who sign certificates in a test. */
export interface Authority extends Certificate {
  /** For this name, and for 127.0.0.1. Replaces files of the same name in one step each. */
  sign(name: string, file?: string): Promise<Certificate>;
  /** What `cert` holds. */
  text: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export async function makeAuthority(directory: string, name = 'authority'): Promise<Authority> {
  const own = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
  await run('openssl', [
    ...['req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`],
    ...['-keyout', own.key, '-out', own.cert],
  ]);
  return {
    ...own,
    text: await readFile(own.cert, 'utf8'),
    async sign(subject, file = subject) {
      const leaf = { cert: join(directory, `${file}.crt`), key: join(directory, `${file}.key`) };
      const fresh = { cert: `${leaf.cert}.new`, key: `${leaf.key}.new` };
      const request = join(directory, `${file}.csr`);
      const names = join(directory, `${file}.ext`);
      await writeFile(names, `subjectAltName=DNS:${subject},IP:127.0.0.1\n`);
      await run('openssl', [
        ...['req', '-new', ...KEY, '-subj', `/CN=${subject}`],
        ...['-keyout', fresh.key, '-out', request],
      ]);
      await run('openssl', [
        ...['x509', '-req', '-in', request, '-CA', own.cert, '-CAkey', own.key, '-CAcreateserial'],
        ...['-days', '2', '-extfile', names, '-out', fresh.cert],
      ]);
      await rename(fresh.key, leaf.key);
      await rename(fresh.cert, leaf.cert);
      return leaf;
    },
  };
}
