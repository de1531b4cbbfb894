import type { Owner, Session } from '#session';
import type { Operation } from '../operation.js';

/** What clients have heard of a session. */
export type Heard = Pick<Session, 'sessionId' | 'epoch' | 'status' | 'revision'> & { owner?: Owner };

/** How many sessions of a scope are remembered, to stop one late. */
const KEPT = 6;

/** What all clients together have heard, the newest last. Never complete, and often stale: that is the point. */
export class Memory {
  private readonly scopes = new Map<string, Heard[]>();

  hear({ asked, answer }: Operation): void {
    for (const shown of [answer?.session, answer?.current]) {
      if (shown && asked.scopeKey) this.keep(asked.scopeKey, JSON.parse(shown.json) as Session);
    }
  }

  of(scopeKey: string): readonly Heard[] {
    return this.scopes.get(scopeKey) ?? [];
  }

  private keep(scopeKey: string, session: Session): void {
    const { sessionId, epoch, status, revision } = session;
    const owner = session.owner ?? session.reservedFor ?? session.previousOwner;
    const known = this.of(scopeKey);
    const before = known.find((one) => one.sessionId === sessionId);
    if (before && before.revision >= revision) return;
    const heard: Heard = { sessionId, epoch, status, revision, ...(owner && { owner }) };
    const others = known.filter((one) => one !== before);
    const sorted = [...others, heard].sort((one, other) => one.epoch - other.epoch);
    this.scopes.set(scopeKey, sorted.slice(-KEPT));
  }
}
