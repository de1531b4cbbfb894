import type { DroppedHandle } from '#api';
import {
  type Handle,
  type HandleChange,
  type HandleHolder,
  type Instant,
  MOST_SCOPE_HANDLES,
  type ScopeKey,
  type SessionId,
} from '#session';

/** Which scope has a handle, and for which of its sessions. */
export interface Holder {
  scopeKey: ScopeKey;
  sessionId: SessionId | undefined;
}

interface Bound extends Holder {
  kind: string;
  boundAt: Instant;
}

/** Outside names by their hash, and what they stand for. Events of each scope call them by a digest that is made up. */
export class Names {
  readonly #named = new Set<ScopeKey>();
  /** By hash; those that were bound last stand last. */
  readonly #holders = new Map<string, Bound>();
  /** By scope, of those that have had a handle since they were erased: digests by hash. */
  readonly #digests = new Map<ScopeKey, Map<string, string>>();
  /** Hashes by digest. */
  readonly #called = new Map<string, string>();

  /** What the events of a scope call a handle. */
  called<H extends Handle>(scopeKey: ScopeKey, handle: H): H {
    const digests = this.#digests.get(scopeKey) ?? new Map<string, string>();
    this.#digests.set(scopeKey, digests);
    const digest = digests.get(handle.hash) ?? crypto.randomUUID();
    digests.set(handle.hash, digest);
    this.#called.set(digest, handle.hash);
    return { ...handle, hash: digest };
  }

  holderOf(hash: string): Holder | undefined {
    return this.#holders.get(hash);
  }

  /** Whether a scope has got a handle since it was erased last. */
  isNamed(scopeKey: ScopeKey): boolean {
    return this.#named.has(scopeKey);
  }

  /** Who has these handles, as a scope sees it and its events call them. */
  seenFrom(
    scopeKey: ScopeKey,
    handles: readonly Handle[],
    isIdle: (scopeKey: ScopeKey) => boolean,
    isInvalid: (sessionId: SessionId) => boolean,
  ): ReadonlyMap<string, HandleHolder> {
    const seen = new Map<string, HandleHolder>();
    for (const { hash: digest } of handles) {
      const holder = this.#holders.get(this.#called.get(digest) ?? '');
      if (!holder) continue;
      const { sessionId } = holder;
      if (holder.scopeKey === scopeKey) {
        const invalid = sessionId !== undefined && isInvalid(sessionId);
        seen.set(digest, { scope: 'this', ...(sessionId && { sessionId }), ...(invalid && { invalid }) });
      } else if (sessionId || !isIdle(holder.scopeKey)) seen.set(digest, { scope: 'another' });
      else seen.set(digest, { scope: 'another', idle: true });
    }
    return seen;
  }

  /** Says which other handles the scope lost for it. */
  change({ kind, hash: digest, to }: HandleChange, scopeKey: ScopeKey, boundAt: Instant): DroppedHandle[] {
    const hash = this.#called.get(digest) ?? '';
    this.#holders.delete(hash);
    if (to === 'nothing') return [];
    this.#named.add(scopeKey);
    const sessionId = typeof to === 'string' ? undefined : to.sessionId;
    this.#holders.set(hash, { kind, scopeKey, sessionId, boundAt });
    if (sessionId !== undefined) return [];
    const ofScope = [...this.#holders].filter(([, one]) => one.scopeKey === scopeKey && !one.sessionId);
    return ofScope.slice(0, -MOST_SCOPE_HANDLES).map(([oldest, dropped]) => {
      this.#holders.delete(oldest);
      return { kind: dropped.kind, boundAt: dropped.boundAt };
    });
  }

  /** Frees all handles of a scope; events call the next ones otherwise. */
  erase(scopeKey: ScopeKey): void {
    this.#named.delete(scopeKey);
    this.#digests.delete(scopeKey);
    for (const [hash, holder] of [...this.#holders]) {
      if (holder.scopeKey === scopeKey) this.#holders.delete(hash);
    }
  }
}
