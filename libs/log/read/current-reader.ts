import type pg from 'pg';
import type { Due, Latest } from '#api';
import { ShareFull, sendOn, smallints, uuids } from '#postgres';
import type { Instant, ScopeKey } from '#session';
import { LogError, readError } from '../errors.js';
import { scopeIdOf } from '../ids.js';
import { statement } from '../statements.js';

const readCurrent = statement('read_current');
const readLeased = statement('read_leased');

interface WaitingRead {
  partition: number;
  scopeId: string;
  resolve(latest: Latest | undefined): void;
  reject(error: LogError): void;
}

export interface CurrentReaderOptions {
  pool: pg.Pool;
  /** For those who ask what is due as well; `pool` when left out. */
  leases?: pg.Pool;
  /** Most scopes in one query. */
  maxBatch: number;
  /** Queries at once. */
  queries: number;
  /** Most readers that may wait; the next one is answered `overloaded`. */
  maxQueue: number;
  onFault(error: unknown): void;
}

/** For how many turns of the event loop a query waits at most for more readers. */
const TURNS = 8;

/**
 * Reads what is current. Readers that arrive while a query runs share the next one, which starts after all
 * of them arrived: each sees everything that was committed before it asked.
 */
export class CurrentReader {
  private queue: WaitingRead[] = [];
  private running = 0;
  /** The next query waits for more readers. */
  private gathering = false;

  constructor(private readonly options: CurrentReaderOptions) {}

  /** The scope's latest session; undefined when it never had one. Rejects with LogError `unavailable` or `overloaded`. */
  read(scopeKey: ScopeKey, partition: number): Promise<Latest | undefined> {
    return new Promise((resolve, reject) => {
      if (this.queue.length >= this.options.maxQueue) {
        return reject(new LogError('overloaded', 'Too many reads are waiting already.'));
      }
      this.queue.push({ partition, scopeId: scopeIdOf(scopeKey), resolve, reject });
      this.next();
    });
  }

  /** As `read`, with what is due: a query of its own, for those who ask for it. */
  async readLeased(scopeKey: ScopeKey, partition: number): Promise<Latest | undefined> {
    const { pool, leases = pool } = this.options;
    try {
      const { rows } = await sendOn(leases, { ...readLeased, values: [partition, scopeIdOf(scopeKey)] });
      const row = rows[0];
      return row && { ...latest(row), due: dueIn(row) };
    } catch (cause) {
      if (!(cause instanceof ShareFull)) this.options.onFault(cause);
      throw readError(cause);
    }
  }

  private next(): void {
    if (this.queue.length === 0 || this.gathering || this.running >= this.options.queries) return;
    this.running += 1;
    this.gathering = true;
    this.gather(TURNS, async () => {
      this.gathering = false;
      await this.query(this.queue.splice(0, this.options.maxBatch));
      this.running -= 1;
      this.next();
    });
  }

  /**
   * Readers of the same turn of the event loop share a query, and those of the next turns as long as each brings
   * more: under load a query for a few costs more than what they wait; a lone reader waits for one turn.
   */
  private gather(turns: number, query: () => void, seen = 0): void {
    setImmediate(() => {
      const { length } = this.queue;
      if (length > seen && turns > 1) this.gather(turns - 1, query, length);
      else query();
    });
  }

  private async query(asked: WaitingRead[]): Promise<void> {
    try {
      const values = [smallints(asked, (one) => one.partition), uuids(asked, (one) => one.scopeId)];
      const { rows } = await sendOn(this.options.pool, { ...readCurrent, values });
      const found = new Map<number, Latest>();
      for (const row of rows) found.set(row.number, latest(row));
      for (const [index, one] of asked.entries()) one.resolve(found.get(index + 1));
    } catch (cause) {
      this.options.onFault(cause);
      const error = new LogError('unavailable', 'Postgres cannot be used.', { cause });
      for (const one of asked) one.reject(error);
    }
  }
}

function latest(row: {
  version: number;
  revision: number;
  ended: boolean;
  latest: string;
  detailed: boolean;
  attributes: string | null;
}): Latest {
  const { version, revision, ended } = row;
  const found: Latest = { version, revision, ended, json: row.latest };
  if (row.detailed) found.attributes = row.attributes ?? 'erased';
  return found;
}

function dueIn(row: {
  renewable: boolean | null;
  until: Instant | null;
  reserved_until: Instant | null;
}): Due {
  const { renewable, until, reserved_until: reservedUntil } = row;
  return {
    ...(until && (renewable ? { leaseUntil: until } : { sessionUntil: until })),
    ...(reservedUntil && { reservedUntil }),
  };
}
