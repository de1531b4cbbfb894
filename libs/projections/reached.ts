import type pg from 'pg';
import { ask, LogError } from '#log';
import { rest } from '#waiting';
import { statement } from './statements.js';

const readLiveGeneration = statement('read_live_generation');
const isAhead = statement('is_ahead');

/** How often to look while anybody waits, in milliseconds. */
const LOOK_MS = 20;
/** Most waiters at once; the next one is answered `overloaded`. */
const MOST = 5_000;

/** Lets readers wait until the live read models have come to a position. All who wait share one query a look. */
export class Reached {
  private waiting = 0;
  private looking: Promise<ReadonlyMap<number, number>> | undefined;

  constructor(private readonly pool: pg.Pool) {}

  /**
   * Whether a partition's projection comes to a sequence within `ms`, or before `signal` aborts. Rejects with LogError
   * `overloaded` or `unavailable`.
   */
  async wait(partition: number, sequence: number, ms: number, signal?: AbortSignal): Promise<boolean> {
    if (this.waiting >= MOST) throw new LogError('overloaded', 'Too many are waiting already.');
    const until = performance.now() + ms;
    this.waiting += 1;
    try {
      for (;;) {
        const positions = await this.look();
        if ((positions.get(partition) ?? 0) >= sequence) return true;
        if (performance.now() >= until || signal?.aborted) return false;
        await rest(LOOK_MS, signal);
      }
    } finally {
      this.waiting -= 1;
    }
  }

  /** Whether the log itself has not come to a sequence, so that waiting for it is in vain. Rejects with `unavailable`. */
  async isAhead(partition: number, sequence: number): Promise<boolean> {
    return (await ask(this.pool, isAhead, [partition, sequence])).rows[0]?.ahead === true;
  }

  /** Where every partition stands. Shared by all who ask while it is under way. */
  async look(): Promise<ReadonlyMap<number, number>> {
    this.looking ??= this.read().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async read(): Promise<ReadonlyMap<number, number>> {
    const { rows } = await ask(this.pool, readLiveGeneration);
    return new Map(rows.map(({ partition, sequence }) => [partition, sequence]));
  }
}
