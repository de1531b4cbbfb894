import type { OutsideName } from '#protocol';
import {
  type Handle,
  type HandleChange,
  type HandleHolder,
  MOST_SCOPE_HANDLES,
  type ScopeKey,
  type SessionId,
} from '#session';

/** Which scope has a handle, and for which of its sessions. */
export interface Holder {
  scopeKey: ScopeKey;
  sessionId: SessionId | undefined;
}

/** Outside names, and what they stand for. A name's hash is made up: nobody can compute it, here either. */
export class Names {
  readonly #hashes = new Map<string, string>();
  /** By hash; those that were bound last stand last. */
  readonly #holders = new Map<string, Holder>();

  handle({ kind, value }: OutsideName): Handle {
    const name = JSON.stringify([kind, value]);
    const hash = this.#hashes.get(name) ?? crypto.randomUUID();
    this.#hashes.set(name, hash);
    return { kind, hash };
  }

  holderOf({ hash }: Handle): Holder | undefined {
    return this.#holders.get(hash);
  }

  /** Who has these handles, as a scope sees it. */
  seenFrom(scopeKey: ScopeKey, handles: readonly Handle[]): ReadonlyMap<string, HandleHolder> {
    const seen = new Map<string, HandleHolder>();
    for (const handle of handles) {
      const holder = this.holderOf(handle);
      if (!holder) continue;
      const { sessionId } = holder;
      if (holder.scopeKey !== scopeKey) seen.set(handle.hash, { scope: 'another' });
      else seen.set(handle.hash, sessionId ? { scope: 'this', sessionId } : { scope: 'this' });
    }
    return seen;
  }

  change({ hash, to }: HandleChange, scopeKey: ScopeKey): void {
    this.#holders.delete(hash);
    if (to === 'nothing') return;
    const sessionId = typeof to === 'string' ? undefined : to.sessionId;
    this.#holders.set(hash, { scopeKey, sessionId });
    if (sessionId !== undefined) return;
    const ofScope = [...this.#holders].filter(([, one]) => one.scopeKey === scopeKey && !one.sessionId);
    for (const [oldest] of ofScope.slice(0, -MOST_SCOPE_HANDLES)) this.#holders.delete(oldest);
  }
}
