import type pg from 'pg';
import { query } from '#postgres';
import type { SessionId } from '#session';
import { Loop, withDeadline } from '#waiting';
import { statement } from './statements.js';

const reaperRound = statement('reaper_round');
const postponeChecks = statement('postpone_checks');
const findDue = statement('find_due');

const PAGE = 1_000;

export interface ReaperOptions {
  pool: pg.Pool;
  /** Between two looks, in milliseconds; below 1,000, so that a lapse appears within a second. */
  everyMs: number;
  /** Has the log say that a session's time is over. Must be harmless when it was said before. */
  settle(sessionId: SessionId, partition: number): Promise<void>;
  onFault(error: unknown): void;
}

/**
 * Finds sessions whose time is over and has them settled. Reads only what is due: a lease that was renewed is
 * looked at once in its time. May run on every replica at once, because settling twice does nothing.
 */
export class Reaper {
  private readonly loop: Loop;

  constructor(private readonly options: ReaperOptions) {
    const { everyMs, onFault } = options;
    this.loop = new Loop({ everyMs, round: () => this.look(), onFault });
  }

  start(): void {
    this.loop.start(this.options.everyMs);
  }

  /** Resolves when the round at hand is over. */
  close(): Promise<void> {
    return this.loop.close();
  }

  private async look(): Promise<void> {
    const { pool } = this.options;
    await this.sayHere();
    let postponed = PAGE;
    while (postponed === PAGE && !this.loop.isClosed) {
      postponed = (await query(pool, postponeChecks, [PAGE])).rowCount ?? 0;
    }
    while ((await this.settlePage()) === PAGE && !this.loop.isClosed) await this.sayHere();
  }

  private async sayHere(): Promise<void> {
    await query(this.options.pool, reaperRound);
  }

  private async settlePage(): Promise<number> {
    const { pool, settle, everyMs } = this.options;
    const { rows } = await query(pool, findDue, [PAGE]);
    if (rows.length === 0) return 0; // as a rule
    const settling = Promise.allSettled(
      rows.map(({ session_id, partition }) => settle(session_id, partition)),
    );
    const look = () => withDeadline(settling, everyMs, 'lapses are settled').catch(() => undefined);
    let settled = await look();
    while (settled === undefined) {
      await this.sayHere(); // a great many lapses take their time, and are no outage
      settled = await look();
    }
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return rows.length;
  }
}
