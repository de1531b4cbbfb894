import type pg from 'pg';
import type { Renewal } from '#api';
import { LogError, lockLeases, unavailable, whoId, writeError } from '#log';
import { begin, bigints, commit, type DatabaseOptions, Link, send, smallints, uuids } from '#postgres';
import { type Epoch, type Instant, partitionOfSession, type SessionId } from '#session';
import { takenInTurn } from '#waiting';
import { statement } from './statements.js';

const renewLeases = statement('renew_leases');

interface Waiting extends Renewal {
  resolve(until: Instant | undefined): void;
  reject(error: LogError): void;
}

export interface RenewerOptions {
  database: DatabaseOptions;
  /** Most leases in one transaction. */
  maxBatch: number;
  /** Most renewals that may wait; the next one is answered `overloaded`. */
  maxQueue: number;
  /** Most of one tenant, where that is limited. */
  maxOfTenant?: number | undefined;
  onFault(error: unknown): void;
}

/**
 * Renews leases: two statements and no event, for all that arrived while the last batch was committing. Only
 * the database's clock counts, read after the lease's lock.
 */
export class LeaseRenewer {
  private queue: Waiting[] = [];
  /** How many of them each tenant has, where that is limited. */
  private readonly tenants = new Map<string, number>();
  private readonly link: Link<pg.Client>;
  private running: Promise<void> | undefined;

  constructor(private readonly options: RenewerOptions) {
    this.link = new Link(options.database, (client) => client);
  }

  /**
   * Resolves with the lease's new end, or undefined when it could not be renewed: ask the decider why. Rejects
   * with LogError `overloaded` or `unavailable`, and with `unknown-outcome` when the lease may have been renewed.
   */
  renew({ sessionId, epoch, by }: Renewal): Promise<Instant | undefined> {
    return new Promise((resolve, reject) => {
      if (this.queue.length >= this.options.maxQueue || this.isFullOf(by)) {
        return reject(new LogError('overloaded', 'Too many renewals are waiting already.'));
      }
      this.queue.push({ sessionId, epoch, by, resolve, reject });
      this.count(by, 1);
      this.running ??= this.run();
    });
  }

  /** Resolves when all renewals are answered and the connection is closed. */
  async close(): Promise<void> {
    await this.running;
    await this.link.close();
  }

  private async run(): Promise<void> {
    await new Promise(setImmediate);
    while (this.queue.length > 0) await this.commit(this.take());
    // In the same turn as the last look at the queue: whoever comes after it has to find nobody running.
    this.running = undefined;
  }

  private isFullOf({ tenant }: Renewal['by']): boolean {
    const { maxOfTenant } = this.options;
    return maxOfTenant !== undefined && (this.tenants.get(tenant) ?? 0) >= maxOfTenant;
  }

  private count({ tenant }: Renewal['by'], by: 1 | -1): void {
    if (this.options.maxOfTenant === undefined) return;
    const count = (this.tenants.get(tenant) ?? 0) + by;
    if (count > 0) this.tenants.set(tenant, count);
    else this.tenants.delete(tenant);
  }

  /**
   * The next renewals, each session by one caller only: what the statement answers does not tell who asked. The others
   * come next. When more wait than fit, tenants take turns: one that sends many holds up itself.
   */
  private take(): Waiting[] {
    const callers = new Map<SessionId, Renewal['by']>();
    const later: Waiting[] = [];
    const taken = this.pick(this.options.maxBatch).filter((one) => {
      const by = callers.get(one.sessionId) ?? one.by;
      callers.set(one.sessionId, by);
      const isSame = by === one.by || isSameCaller(by, one.by);
      if (!isSame) later.push(one);
      return isSame;
    });
    this.queue.unshift(...later);
    for (const { by } of taken) this.count(by, -1);
    return taken;
  }

  private pick(most: number): Waiting[] {
    if (this.queue.length <= most || this.tenants.size < 2) return this.queue.splice(0, most);
    const picked = takenInTurn(this.queue, most, ({ by }) => by.tenant);
    const gone = new Set(picked);
    this.queue = this.queue.filter((one) => !gone.has(one));
    return picked;
  }

  private async commit(batch: Waiting[]): Promise<void> {
    let isSent = false;
    try {
      const client = await this.link.open();
      isSent = true;
      const renewed = await this.write(client, batch);
      for (const one of batch) one.resolve(renewed.get(one.sessionId)?.get(one.epoch));
    } catch (cause) {
      this.options.onFault(cause);
      await this.link.close();
      const away = unavailable(cause);
      const told = isSent ? writeError(cause) : away;
      for (const one of batch) one.reject(told instanceof LogError ? told : away);
    }
  }

  private async write(client: pg.Client, batch: Waiting[]): Promise<Map<SessionId, Map<Epoch, Instant>>> {
    const partitions = smallints(batch, (one) => partitionOfSession(one.sessionId));
    const ids = uuids(batch, (one) => one.sessionId);
    const epochs = bigints(batch, (one) => one.epoch);
    const tenants = uuids(batch, (one) => whoId(one.by.tenant));
    const principals = uuids(batch, ({ by }) => (by.operate ? undefined : whoId(by.principal)));
    const results = await send(client, [
      begin,
      { ...lockLeases, values: [partitions, ids] },
      { ...renewLeases, values: [partitions, ids, epochs, tenants, principals] },
      commit,
    ]);
    if (results[3]?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
    const renewed = new Map<SessionId, Map<Epoch, Instant>>();
    for (const { session_id, epoch, until } of results[2]?.rows ?? []) {
      renewed.set(session_id, new Map([[epoch, until]]));
    }
    return renewed;
  }
}

function isSameCaller(one: Renewal['by'], other: Renewal['by']): boolean {
  return one.tenant === other.tenant && one.principal === other.principal && one.operate === other.operate;
}
