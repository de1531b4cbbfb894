import pg from 'pg';
import { config, type DatabaseOptions } from './database.js';
import { boundGivenUp } from './given-up.js';

/** Too many wait for a connection of a pool already. */
export class ShareFull extends Error {
  override name = 'ShareFull';

  constructor() {
    super('Too many wait for a connection to Postgres already.');
  }
}

/** What pg says of who waited in vain. */
const IN_VAIN = 'timeout exceeded when trying to connect';

type Taken = (
  error: Error | undefined,
  client?: pg.PoolClient,
  done?: (release?: boolean | Error) => void,
) => void;

/** A pool whose queue has a bound as well, and which counts those who got no connection. */
export class Share extends pg.Pool {
  /** Those who found the queue full, or waited in vain. */
  refused = 0;

  constructor(
    options: DatabaseOptions,
    max: number,
    private readonly mostWaiting: number,
  ) {
    super({ ...config(options), max, idleTimeoutMillis: 30_000 });
  }

  /** Connections that are in somebody's hands. */
  get inUse(): number {
    return this.totalCount - this.idleCount;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(taken: Taken): void;
  override connect(taken?: Taken): Promise<pg.PoolClient> | undefined {
    if (this.waitingCount >= this.mostWaiting) {
      this.refused += 1;
      if (!taken) return Promise.reject(new ShareFull());
      process.nextTick(taken, new ShareFull());
      return undefined;
    }
    if (!taken) {
      const connection = super.connect();
      connection.catch((error) => this.count(error)); // beside the caller, who hears it as well
      return connection;
    }
    super.connect((error, client, done) => {
      this.count(error);
      taken(error, client, done);
    });
    return undefined;
  }

  private count(error: Error | undefined): void {
    if (error?.message === IN_VAIN) this.refused += 1;
  }
}

/** So many may wait for a connection at once, unless a pool says otherwise. */
const MOST_WAITING = 1_000;

/**
 * A bounded pool. Waiting for a connection ends after `connectMs` with an error, and at once with ShareFull where
 * `mostWaiting` wait already; the pool itself never fails, its queries do.
 */
export function openPool(options: DatabaseOptions, max: number, mostWaiting = MOST_WAITING): Share {
  const pool = new Share(options, max, mostWaiting);
  pool.on('error', () => {}); // an idle connection was lost: the next query opens another one
  // One that is in somebody's hands: the next statement on it says so. Unheard, it would end the process.
  pool.on('connect', (client) => void client.on('error', () => {}));
  boundGivenUp(pool, max);
  return pool;
}
