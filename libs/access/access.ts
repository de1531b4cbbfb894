import { anonymous, callerOf, type KeyLimits, type Needs, ProblemError } from '#api';
import { LogError } from '#log';
import type { Asking } from './asking.js';
import { FailedLogins } from './failed-logins.js';
import { hashOf, isKey } from './key-format.js';
import type { KeySet } from './key-set.js';
import { type Counted, Limits, type Reached } from './limits.js';
import type { Tokens } from './tokens.js';

export type { Asking } from './asking.js';

/** Who may ask a service for what. */
export interface Access {
  /**
   * Who asks, by the Authorization header; whether it may is for who asks this. Throws ProblemError `unauthenticated` or
   * `rate-limited`, and LogError `unavailable` while nobody can say. A promise only for a token that is new here.
   */
  of(authorization: string | undefined, needs: Needs, address: string): Asking | Promise<Asking>;
  /** Whether a credential that counted does no more. */
  isOver(asking: Asking): boolean;
  /**
   * For what stays open: calls `end` once, when the credential counts no more, within a second of that. Returns how to
   * stop that. Throws `rate-limited` when the tenant holds as many open as it may.
   */
  hold(what: Held, asking: Asking, end: () => void): () => void;
  /** Counts items that are asked for; a limit, when that is reached. */
  take(asking: Asking, counted: Counted, items: number): Reached | undefined;
  close(): void;
}

const never = () => {};

/** Everybody may do everything. */
export const withoutAccess: Access = {
  of: () => everybody,
  isOver: () => false,
  hold: () => never,
  take: () => undefined,
  close: never,
};
const everybody: Asking = { caller: anonymous, name: 'none', isOver: () => false };
/** Whoever asks for what needs nothing, without a credential. */
const nobody: Asking = {
  caller: callerOf({ tenant: '', principal: 'nobody', permissions: [], ledgerWide: false }),
  name: 'none',
  isOver: () => false,
};

/** What stays open, and how many of it a tenant may hold open at a replica. */
const MOST_HELD = { streams: 500, waits: 2_000, snapshots: 2 } as const;
type Held = keyof typeof MOST_HELD;

const LOOK_MS = 500;

export interface AccessOptions {
  keys: KeySet;
  /** Absent: keys alone count. */
  tokens?: Tokens | undefined;
  /** SHA-256, in hex, of a key that is in no table: for a ledger that has no other yet. */
  adminKeyHash?: string | undefined;
  /** Of all keys of a tenant together. */
  tenantLimits?: KeyLimits | undefined;
}

/** Access by keys and tokens. */
export function openAccess(options: AccessOptions): Access {
  return new AccessByCredential(options);
}

class AccessByCredential implements Access {
  private readonly failed = new FailedLogins();
  private readonly held = new Map<() => void, Asking>();
  /** How many each tenant holds open, by what. */
  private readonly counts = new Map<string, number>();
  private readonly limits: Limits;
  private readonly look: NodeJS.Timeout;
  private readonly admin: Asking;

  constructor(private readonly options: AccessOptions) {
    this.limits = new Limits(options.tenantLimits ?? {});
    this.look = setInterval(() => this.endHeld(), LOOK_MS);
    this.look.unref();
    this.admin = {
      caller: callerOf({ tenant: '', principal: 'admin', permissions: ['admin'], ledgerWide: true }),
      name: 'admin-key',
      isOver: () => false,
    };
  }

  of(authorization: string | undefined, needs: Needs, address: string): Asking | Promise<Asking> {
    const token = bearerOf(authorization);
    if (needs === 'nothing') return (token !== undefined && this.known(token)) || nobody;
    if (!this.options.keys.isFresh) {
      throw new LogError('unavailable', 'Nobody can say whether the credential still counts.');
    }
    if (token === undefined) throw this.refusal(authorization === undefined, address);
    const asking = this.known(token);
    if (asking) return asking;
    const { tokens } = this.options;
    if (!tokens || !isToken(token)) throw this.refusal(false, address);
    return tokens.check(token, address, this.failed.isOver(address)).then(
      (checked) => {
        if (this.isOver(checked)) throw this.refusal(false, address);
        return checked;
      },
      (error) => {
        if ((error as { code?: string }).code === 'unauthenticated') this.failed.count(address);
        throw error;
      },
    );
  }

  isOver(asking: Asking): boolean {
    return asking.isOver(this.options.keys.now);
  }

  hold(what: Held, asking: Asking, end: () => void): () => void {
    const name = `${what} ${asking.caller.tenant || asking.name}`;
    const count = this.counts.get(name) ?? 0;
    if (count >= MOST_HELD[what]) {
      throw new ProblemError('rate-limited', `The tenant already has ${count} ${what} open.`);
    }
    this.counts.set(name, count + 1);
    this.held.set(end, asking);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.held.delete(end);
      const left = (this.counts.get(name) ?? 1) - 1;
      if (left > 0) this.counts.set(name, left);
      else this.counts.delete(name);
    };
  }

  take(asking: Asking, counted: Counted, items: number): Reached | undefined {
    return this.limits.take(asking, counted, items);
  }

  close(): void {
    clearInterval(this.look);
  }

  /** By what is in memory alone. */
  private known(token: string): Asking | undefined {
    const { keys, tokens, adminKeyHash } = this.options;
    let found: Asking | undefined;
    if (isKey(token)) {
      const hash = hashOf(token);
      found = hash === adminKeyHash ? this.admin : keys.byHash(hash);
    } else found = tokens?.find(token);
    return found && !this.isOver(found) ? found : undefined;
  }

  /** Of a credential that does not count; too many from one address are told to wait. */
  private refusal(isAbsent: boolean, address: string): ProblemError {
    if (isAbsent) return new ProblemError('unauthenticated', 'header.authorization is missing.');
    const seconds = this.failed.count(address);
    if (seconds > 0) {
      const detail = 'Too many invalid credentials from this address: try again in a minute.';
      return new ProblemError('rate-limited', detail, {}, seconds);
    }
    return new ProblemError(
      'unauthenticated',
      'header.authorization has no valid credential: it is mistyped, unknown, expired or revoked.',
    );
  }

  private endHeld(): void {
    for (const [end, asking] of [...this.held]) {
      if (!this.isOver(asking) && this.options.keys.isFresh) continue;
      this.held.delete(end);
      end();
    }
  }
}

/** RFC 6750, section 2.1. */
function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]{1,8192}=*)$/i.exec(authorization ?? '')?.[1];
}

/** Three parts: anything else is not worth a look. */
function isToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}
