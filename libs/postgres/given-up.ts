import type pg from 'pg';
import { rest } from '#waiting';
import { query, rowOf } from './database.js';
import { statement } from './statements.js';

const findBackends = statement('find_backends');

/** How often it is looked whether a backend has ended, and how often at most, before somebody is told. */
const LOOK_MS = 50;
const LOOKS = 10;

/** Backends of lost connections are still at work: another one would wait as they do. */
class StillAtWork extends Error {
  override name = 'StillAtWork';

  constructor() {
    super(
      'Postgres still works for a connection that was given up on, as while a synchronous standby is missing.',
    );
  }
}

/**
 * The backends of connections that were given up on. Postgres does not notice that nobody waits any more while a backend
 * waits itself: for a lock until its statement's time is over, for a synchronous standby for ever. Each new connection
 * would then leave one more behind, until there are no more.
 */
export class GivenUp {
  private pids = new Set<number>();
  private server: string | undefined;

  /** @param most So many may be at work still while new connections are made. */
  constructor(private readonly most: number) {}

  /** A connection is not used any more. */
  add(client: pg.ClientBase): void {
    const { processID } = client as unknown as { processID: number | null };
    if (processID !== null) this.pids.add(processID);
  }

  /** Throws StillAtWork where a new connection may not be used yet. */
  async check(client: pg.ClientBase): Promise<void> {
    for (let look = 1; ; look++) {
      const { server, pids } = rowOf(await query(client, findBackends, [[...this.pids]]));
      this.pids = new Set(server === this.server ? pids : []);
      this.server = server;
      if (this.pids.size < this.most) return;
      if (look === LOOKS) throw new StillAtWork();
      await rest(LOOK_MS);
    }
  }
}

/** Has a pool make new connections only while fewer of its lost ones than `most` are still at work. */
export function boundGivenUp(pool: pg.Pool, most: number): void {
  const givenUp = new GivenUp(most);
  pool.on('remove', (client) => givenUp.add(client));
  const { options } = pool as unknown as {
    options: { verify?: (client: pg.ClientBase, done: (error?: Error) => void) => void };
  };
  options.verify = (client, done) => {
    givenUp.check(client).then(() => done(), done);
  };
}
