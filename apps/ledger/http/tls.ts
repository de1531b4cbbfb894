import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** Files in PEM form. */
export interface TlsFiles {
  cert: string;
  key: string;
  /** Of those who sign callers' certificates: who has none of theirs is not let in. */
  clientCa: string | undefined;
}

/** How often the files are looked at, in milliseconds. */
const LOOK_MS = 2_000;

/** For a user to read. */
export class TlsUnusable extends Error {
  constructor(why: string) {
    super(`LEDGER_TLS_CERT, LEDGER_TLS_KEY: cannot be used: ${why}`);
  }
}

/** What they hold now. Throws TlsUnusable when one cannot be read, or they do not belong together. */
export function readTls({ cert, key, clientCa }: TlsFiles): SecureContextOptions {
  try {
    const context = {
      cert: readFileSync(cert, 'utf8'),
      key: readFileSync(key, 'utf8'),
      ...(clientCa !== undefined && { ca: readFileSync(clientCa, 'utf8') }),
      minVersion: 'TLSv1.2' as const,
    };
    createSecureContext(context);
    return context;
  } catch (error) {
    throw new TlsUnusable((error as Error).message);
  }
}

/**
 * Takes new certificates when the files change, for connections that are made from then on. While they cannot be used, as
 * when only one of them has been replaced yet, those before stay. Read, not watched: a mounted secret changes by links.
 */
export function followFiles(
  server: Server,
  files: TlsFiles,
  used: SecureContextOptions,
  log: (level: 'info' | 'warn', line: string) => void,
): void {
  let seen = JSON.stringify(used);
  let complained = '';
  const looking = setInterval(() => {
    try {
      const context = readTls(files);
      complained = '';
      if (JSON.stringify(context) === seen) return;
      server.setSecureContext(context);
      seen = JSON.stringify(context);
      log('info', 'TLS: the certificate has changed and is used from now on');
    } catch (error) {
      const { message } = error as Error;
      if (message !== complained)
        log('warn', `TLS: the new files cannot be used, the old ones stay in use: ${message}`);
      complained = message;
    }
  }, LOOK_MS).unref();
  server.once('close', () => clearInterval(looking));
}
