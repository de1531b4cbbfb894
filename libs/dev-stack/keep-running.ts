import { backoffMs, rest } from '#waiting';
import { DevStackError } from './errors.js';
import type { Server } from './server.js';

/** What becomes of a server that ends without having been asked to. */
export interface Restarts {
  /** How often in a row it is started again, after pauses of 0.5 s that double up to 30 s; 0 when left out. */
  restarts?: number | undefined;
  /** Hears, once, that it has ended and is not started any more. */
  onLost?: ((error: DevStackError) => void) | undefined;
}

export interface Kept extends Restarts {
  /** For people, as `Postgres`. */
  name: string;
  logFile: string;
  log(line: string): void;
  /** Resolves once the server can be used; stops it, and rejects, when the signal is aborted before. */
  start(stopping: AbortSignal): Promise<Server>;
}

const PAUSES = { firstMs: 500, mostMs: 30_000, sure: 1 };
/** Whoever has run for so long is started again as if for the first time. */
const STEADY_MS = 60_000;

/** Starts a server, and starts it again when it ends by itself. Rejects when the first start fails. */
export async function keepRunning(kept: Kept): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  let server: Server | undefined = await kept.start(stopping.signal);
  const watching = watch();

  async function watch(): Promise<void> {
    for (let tries = 0; server; ) {
      const upAt = performance.now();
      const why = `${kept.name}: ended unexpectedly (${await server.end}), see ${kept.logFile}`;
      if (performance.now() - upAt >= STEADY_MS) tries = 0;
      server = undefined;
      tries = await restart(why, tries);
    }
  }

  /** Sets `server` when it runs again. Resolves to how many attempts were made in a row. */
  async function restart(why: string, tries: number): Promise<number> {
    const { name, log, restarts = 0, onLost } = kept;
    for (let reason = why; !stopping.signal.aborted; tries += 1) {
      if (tries >= restarts) {
        const times = tries > 0 ? ` after ${tries} attempts in a row` : '';
        const error = new DevStackError(`${reason}; it is not started again${times}`);
        if (onLost) onLost(error);
        else log(error.message);
        break;
      }
      const pauseMs = backoffMs(tries, PAUSES);
      log(`${reason}; starting it again in ${pauseMs / 1_000} s (attempt ${tries + 1} of ${restarts})`);
      await rest(pauseMs, stopping.signal);
      if (stopping.signal.aborted) break;
      try {
        server = await kept.start(stopping.signal);
        log(`${name}: running again`);
        return tries + 1;
      } catch (error) {
        reason = (error as Error).message;
      }
    }
    return tries;
  }

  return {
    async stop() {
      stopping.abort();
      await server?.stop();
      await watching;
    },
  };
}
