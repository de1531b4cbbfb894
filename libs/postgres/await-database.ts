import pg from 'pg';
import { pause } from '#waiting';
import { isAway, PostgresAway } from './errors.js';

export interface AwaitOptions {
  url: string;
  /** The longest to wait, in milliseconds. */
  withinMs: number;
  /** Ends the wait; what it rejects with is the signal's reason. */
  signal: AbortSignal;
  /** Gets one line when it has to wait, and one when that is over. */
  log(line: string): void;
}

const CONNECT_MS = 5_000;
const PAUSE_MS = 250;

/**
 * Resolves once Postgres takes connections. Rejects at once with Postgres' own error when it refuses this one, as for a
 * wrong password or a database that does not exist; with PostgresAway when it is away for all of the time.
 */
export async function awaitDatabase({ url, withinMs, signal, log }: AwaitOptions): Promise<void> {
  const began = performance.now();
  for (let tries = 0; ; tries += 1) {
    const client = clientOf(url);
    const place = `Postgres at ${client.host}:${client.port}`;
    const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
    try {
      await client.connect();
      await client.end();
      if (tries > 0) log(`${place}: reachable after ${seconds(performance.now() - began)}`);
      return;
    } catch (cause) {
      if (!isAway(cause)) throw cause;
      const { message, code } = cause as { message?: string; code?: string };
      const why = message || code;
      if (performance.now() - began + PAUSE_MS > withinMs) {
        const waited = withinMs > 0 ? ` within ${seconds(withinMs)}` : '';
        throw new PostgresAway(`${place} cannot be reached${waited}: ${why}`, { cause });
      }
      if (tries === 0)
        log(`${place} cannot be reached (${why}); waiting for it, at most ${seconds(withinMs)}`);
      await pause(PAUSE_MS, signal);
    }
  }
}

function clientOf(connectionString: string): pg.Client {
  try {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_MS });
    client.on('error', () => {}); // a lost connection also fails connect() or end(), and that is heard
    return client;
  } catch {
    // Not the cause: what could not be read holds a password.
    throw new PostgresAway('DATABASE_URL: is not a URL as in postgres://user:password@host:5432/database');
  }
}
