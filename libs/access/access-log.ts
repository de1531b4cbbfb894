import type pg from 'pg';
import { ask } from '#log';
import { query } from '#postgres';
import { Loop } from '#waiting';
import { statement } from './statements.js';

const add = statement('add_to_access_log');
const rotate = statement('rotate_access_log');
const readLog = statement('read_access_log');

const WRITE_MS = 1_000;
const ROTATE_MS = 3_600_000;
/** Most rows that wait to be written while Postgres is away; what comes then is counted as lost. */
const MOST_WAITING = 10_000;
/** So long what is summed is one row. */
const SUM_MS = 60_000;

/** What was asked, by whom, and how it was answered. No body, no session's id, no secret. */
export interface NotedAccess {
  at: Date;
  status: number;
  /** A key's id, `token`, `none` or `database`. */
  credential: string;
  principal: string;
  tenant: string;
  address: string;
  operation: string;
}

export interface LoggedAccess extends NotedAccess {
  count: number;
}

/**
 * The log of access in Postgres. Written beside the requests, once a second: nobody waits for it. What may come often is
 * summed up, an address and a minute, so that whoever tries many credentials fills nothing.
 */
export class AccessLog {
  private waiting: LoggedAccess[] = [];
  private readonly summed = new Map<string, LoggedAccess>();
  private readonly loop: Loop;
  private rotateAt = 0;
  private sumAt = performance.now() + SUM_MS;

  constructor(
    private readonly pool: Pick<pg.Pool, 'query'>,
    onFault: (error: unknown) => void,
  ) {
    this.loop = new Loop({ everyMs: WRITE_MS, round: () => this.round(), onFault });
  }

  start(): void {
    this.loop.start();
  }

  /** Resolves when what waits is written, if Postgres takes it. */
  async close(): Promise<void> {
    await this.loop.close();
    this.sum();
    await this.write().catch(() => {}); // the last second, of a Postgres that is away
  }

  /** With `isSummed` what is the same within a minute is one row. */
  note(access: NotedAccess, isSummed: boolean): void {
    if (!isSummed) {
      if (this.waiting.length < MOST_WAITING) this.waiting.push({ ...access, count: 1 });
      return;
    }
    const name = `${access.address} ${access.credential} ${access.operation} ${access.status}`;
    const before = this.summed.get(name);
    if (before) before.count += 1;
    else if (this.summed.size < MOST_WAITING) this.summed.set(name, { ...access, count: 1 });
  }

  private async round(): Promise<void> {
    if (performance.now() >= this.rotateAt) {
      await query(this.pool, rotate);
      this.rotateAt = performance.now() + ROTATE_MS;
    }
    if (performance.now() >= this.sumAt) this.sum();
    await this.write();
  }

  private sum(): void {
    this.waiting.push(...this.summed.values());
    this.summed.clear();
    this.sumAt = performance.now() + SUM_MS;
  }

  private async write(): Promise<void> {
    const rows = this.waiting.splice(0);
    if (rows.length === 0) return;
    const column = <Name extends keyof LoggedAccess>(name: Name) => rows.map((row) => row[name]);
    try {
      await query(this.pool, add, [
        ...([column('at'), column('status'), column('count'), column('credential')] as const),
        ...([column('principal'), column('tenant'), column('address'), column('operation')] as const),
      ]);
    } catch (error) {
      this.waiting.unshift(...rows.slice(0, MOST_WAITING - this.waiting.length));
      throw error;
    }
  }
}

/** Writes one act down at once: of a program that ends after it, at the database. Rejects when it cannot be written. */
export async function noteOnce(pool: Pick<pg.Pool, 'query'>, access: NotedAccess): Promise<void> {
  const { at, status, credential, principal, tenant, address, operation } = access;
  await query(pool, add, [
    ...([[at], [status], [1], [credential]] as const),
    ...([[principal], [tenant], [address], [operation]] as const),
  ]);
}

/** The newest first. Rejects with LogError `unavailable`. */
export async function readAccessLog(
  pool: Pick<pg.Pool, 'query'>,
  { since, principal, limit }: { since: Date; principal: string | undefined; limit: number },
): Promise<LoggedAccess[]> {
  return (await ask(pool, readLog, [since, principal, limit])).rows;
}
