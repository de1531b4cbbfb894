import { ProblemError } from '#api';
import { untilWoken } from '#waiting';

/** So many requests of a tenant are served at once while others ask as well, for each tenant that has others in line. */
const AT_ONCE = 16;
/** So many of all those tenants: more make no larger batches, and who asks for little waits behind them. */
const AT_ONCE_OF_ALL = 128;
/** So long after two tenants have asked by turns both count as asking. */
const SHARED_MS = 1_000;
/** So many of a tenant wait in line; the next ones are refused. */
const MOST_IN_LINE = 1_024;
/**
 * A refusal is told so late, half of it more or less: callers that ask again at once would otherwise take the time of those
 * that are served, and what they ask together would come together again and again.
 */
const LATE_MS = 500;
/** So many refusals wait to be told; the next ones are told at once. */
const MOST_LATE = 2_000;

interface Share {
  served: number;
  line: Turn[];
}

/** Who waits for an answer: one that is gone is waited for no longer, or its refusal would hide commands from the count. */
export interface Caller {
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

interface Turn {
  begin(): void;
  isCommand: boolean;
}

/**
 * Has tenants take turns at a replica: one with hundreds of callers leaves the event loop to the others after every few of
 * its requests. A tenant that asks alone takes all.
 */
export class TenantTurns {
  private readonly shares = new Map<string, Share>();
  private last: string | undefined;
  private sharedUntil = Number.NEGATIVE_INFINITY;
  /** Tenants that have requests in line. */
  private crowds = 0;
  private late = 0;
  private commands = 0;

  /** @param now Milliseconds, for tests. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Commands that stand in line, and refusals of commands that wait to be told: they hold up nobody but their tenant. */
  get waitingCommands(): number {
    return this.commands;
  }

  /**
   * A request comes, and has to `leave` when it is served; undefined: it is served at once. Rejects with ProblemError
   * `overloaded` when too many of its tenant wait already; then it has left.
   */
  enter(tenant: string, isCommand: boolean, caller: Caller): Promise<void> | undefined {
    const share = this.shareOf(tenant);
    if (share.line.length === 0 && share.served < this.most()) {
      share.served += 1;
      return undefined;
    }
    if (share.line.length >= MOST_IN_LINE) return this.refuse(isCommand, caller);
    if (isCommand) this.commands += 1;
    if (share.line.length === 0) this.crowds += 1;
    return new Promise((begin) => share.line.push({ begin, isCommand }));
  }

  leave(tenant: string): void {
    const share = this.shares.get(tenant);
    if (!share) return;
    share.served -= 1;
    const most = this.most();
    while (share.served < most) {
      const next = share.line.shift();
      if (!next) break;
      if (share.line.length === 0) this.crowds -= 1;
      share.served += 1;
      if (next.isCommand) this.commands -= 1;
      next.begin();
    }
    if (share.served === 0) this.shares.delete(tenant);
  }

  /** Resolves when a refusal is to be told, or nobody is there to hear it. */
  async untilTold(isCommand: boolean, caller: Caller): Promise<void> {
    if (this.late >= MOST_LATE) return;
    this.late += 1;
    if (isCommand) this.commands += 1;
    await untilWoken({ ms: LATE_MS * (0.5 + Math.random()) }, (wake) => {
      caller.once('close', wake);
      return () => caller.off('close', wake);
    });
    this.late -= 1;
    if (isCommand) this.commands -= 1;
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

  /** Of a tenant, at once. */
  private most(): number {
    if (this.now() >= this.sharedUntil) return Number.POSITIVE_INFINITY;
    const { crowds } = this;
    return Math.max(AT_ONCE, Math.min(AT_ONCE * crowds, Math.floor(AT_ONCE_OF_ALL / crowds)));
  }

  private async refuse(isCommand: boolean, caller: Caller): Promise<never> {
    await this.untilTold(isCommand, caller);
    throw new ProblemError('overloaded', 'Too many requests of the tenant are waiting already.');
  }
}
