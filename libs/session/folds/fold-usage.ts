import type { SessionId } from '../session.js';
import type { PlacedTold } from '../told.js';
import { addDecimals } from '../values/decimal.js';
import type { Usage, UsageTotals } from '../values/usage.js';

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

/** The sums of reports. A count stays at 2^53-1, the largest that every reader of JSON takes as it is. */
export function sumOf(reports: readonly Usage[]): UsageTotals {
  const sum = (count: (usage: Usage) => number | undefined) => {
    const exact = reports.reduce((total, usage) => total + BigInt(count(usage) ?? 0), 0n);
    return Math.min(Number(exact), Number.MAX_SAFE_INTEGER);
  };
  const cost: Record<string, string> = {};
  for (const { currency, amount } of reports.flatMap((usage) => usage.cost ?? [])) {
    cost[currency] = addDecimals(cost[currency] ?? '0', amount);
  }
  return {
    operations: reports.length,
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    cachedTokens: sum(({ cachedTokens }) => cachedTokens),
    durationMs: sum(({ durationMs }) => durationMs),
    cost: Object.fromEntries(Object.entries(cost).sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}
