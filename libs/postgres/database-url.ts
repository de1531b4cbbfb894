import { readFileSync } from 'node:fs';
import pg from 'pg';

/** What is wrong with how Postgres was named, a line for the user, without the password. */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
}

/** The settings that say where Postgres is. Those that are empty count as not set. */
export interface DatabaseUrlSettings {
  DATABASE_URL?: string | undefined;
  /** A file with the same. */
  DATABASE_URL_FILE?: string | undefined;
  /** `yes`: an unencrypted connection to another machine is wanted. */
  LEDGER_PLAIN_DATABASE?: string | undefined;
}

/**
 * Where Postgres is, by the environment; undefined when that does not say. Throws DatabaseUrlError for a file that cannot be
 * read, and for a connection that others could read or answer.
 */
export function databaseUrlOf(settings: DatabaseUrlSettings): string | undefined {
  const { DATABASE_URL: given, DATABASE_URL_FILE: file } = settings;
  if (given && file)
    throw new DatabaseUrlError('DATABASE_URL and DATABASE_URL_FILE say the same: set one of them');
  const url = file ? contentOf(file) : given || undefined;
  if (url !== undefined) requireVerified(url, settings);
  return url;
}

function contentOf(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new DatabaseUrlError(`DATABASE_URL_FILE: ${(error as Error).message}`);
  }
  if (/^postgres(ql)?:\/\/\S+$/.test(text)) return text;
  throw new DatabaseUrlError(`DATABASE_URL_FILE: ${file} does not hold one postgres:// URL`);
}

/**
 * Throws when the connection goes to another machine and does not verify whom it talks to: whoever is in between would read
 * the password and every event, or answer in Postgres' place.
 */
export function requireVerified(url: string, { LEDGER_PLAIN_DATABASE: plain }: DatabaseUrlSettings): void {
  if (plain === 'yes') return;
  const place = placeOf(url);
  if (!place || isHere(place.host) || place.isVerified) return;
  throw new DatabaseUrlError(
    `DATABASE_URL: the connection to ${place.host} is not verified: add sslmode=verify-full (and sslrootcert=<file> for a ` +
      'CA of your own), or set LEDGER_PLAIN_DATABASE=yes if the network between is safe (docs/running.md)',
  );
}

/** Undefined for what is no URL, which whoever connects complains about. */
function placeOf(url: string): { host: string; isVerified: boolean } | undefined {
  try {
    const { host } = new pg.Client({ connectionString: url });
    const modes = new URL(url).searchParams.getAll('sslmode');
    return { host, isVerified: modes.length > 0 && modes.every((mode) => mode === 'verify-full') };
  } catch (error) {
    // A certificate that cannot be read is a fault of its own.
    const { code, path } = error as NodeJS.ErrnoException;
    if (path === undefined) return undefined;
    throw new DatabaseUrlError(`DATABASE_URL: the file ${path} cannot be read: ${code}`);
  }
}

/** Loopback, or the directory of a Unix socket. */
function isHere(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
