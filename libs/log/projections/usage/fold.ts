import type { SessionId, Usage } from '#session';
import type { PlacedTold } from '../stored-event.js';

/** A report and whose sums it adds to; the row in the read model has the sums. */
export interface UsageRow {
  /** The root of its chain, or its scope. */
  ofId: string;
  /** That of its cost; empty when it has none. */
  currency: string;
  sequence: number;
  /** Whose usage it was. */
  sessionId: SessionId;
  usage: Usage;
}

/** The reports of events, in order: each adds to two sums. */
export function foldUsage(events: readonly PlacedTold[]): UsageRow[] {
  const rows: UsageRow[] = [];
  for (const { sequence, scopeId, sessions, usage } of events) {
    if (!usage) continue;
    for (const { sessionId, rootId } of sessions) {
      const row = { currency: usage.cost?.currency ?? '', sequence, sessionId, usage };
      rows.push({ ofId: rootId, ...row }, { ofId: scopeId, ...row });
    }
  }
  return rows;
}
