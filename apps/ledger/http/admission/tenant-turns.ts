import { ProblemError } from '#api';
import { rest } from '#waiting';

/** So many requests of a tenant are served at once while others ask as well. */
const AT_ONCE = 32;
/** So long after two tenants have asked by turns both count as asking. */
const SHARED_MS = 1_000;
/** So many of a tenant wait in line; the next ones are refused. */
const MOST_IN_LINE = 1_024;
/** A refusal is told so late: callers that ask again at once would otherwise take the time of those that are served. */
const LATE_MS = 500;
/** So many refusals wait to be told; the next ones are told at once. */
const MOST_LATE = 2_000;

interface Share {
  served: number;
  line: (() => void)[];
}

/**
 * Has tenants take turns at a replica: one with hundreds of callers leaves the event loop to the others after every few of
 * its requests. A tenant that asks alone takes all.
 */
export class TenantTurns {
  private readonly shares = new Map<string, Share>();
  private last: string | undefined;
  private sharedUntil = Number.NEGATIVE_INFINITY;
  private late = 0;
  private inLine = 0;

  /** @param now Milliseconds, for tests. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Requests that stand in line: they hold up nobody but their tenant. */
  get waiting(): number {
    return this.inLine;
  }

  /**
   * A request comes, and has to `leave` when it is served; undefined: it is served at once. Rejects with ProblemError
   * `overloaded` when too many of its tenant wait already; then it has left.
   */
  enter(tenant: string): Promise<void> | undefined {
    const share = this.shareOf(tenant);
    if (share.line.length === 0 && (share.served < AT_ONCE || !this.isShared())) {
      share.served += 1;
      return undefined;
    }
    if (share.line.length >= MOST_IN_LINE) return this.refuse();
    this.inLine += 1;
    return new Promise((resolve) => share.line.push(resolve));
  }

  leave(tenant: string): void {
    const share = this.shares.get(tenant);
    if (!share) return;
    share.served -= 1;
    const most = this.isShared() ? AT_ONCE : Number.POSITIVE_INFINITY;
    while (share.served < most) {
      const next = share.line.shift();
      if (!next) break;
      share.served += 1;
      this.inLine -= 1;
      next();
    }
    if (share.served === 0) this.shares.delete(tenant);
  }

  /** Resolves when a refusal is to be told. */
  async untilTold(): Promise<void> {
    if (this.late >= MOST_LATE) return;
    this.late += 1;
    await rest(LATE_MS);
    this.late -= 1;
  }

  private shareOf(tenant: string): Share {
    if (this.last !== tenant) {
      if (this.last !== undefined) this.sharedUntil = this.now() + SHARED_MS;
      this.last = tenant;
    }
    let share = this.shares.get(tenant);
    if (!share) {
      share = { served: 0, line: [] };
      this.shares.set(tenant, share);
    }
    return share;
  }

  private isShared(): boolean {
    return this.now() < this.sharedUntil;
  }

  private async refuse(): Promise<never> {
    await this.untilTold();
    throw new ProblemError('overloaded', 'Too many requests of the tenant are waiting already.');
  }
}
