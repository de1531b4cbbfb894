import type { Transition } from '../events.js';
import type { SessionId } from '../session.js';
import type { PlacedTold } from '../told.js';

/** A row of the read model: how one session came to be current, or how it went without a follower. */
export interface TransitionRow {
  sessionId: SessionId;
  came: boolean;
  scopeId: string;
  sequence: number;
  transition: Transition;
}

/**
 * Folds events, in order, into rows by session and direction. The first word stands: a supersession names its
 * successor, and the successor's own start, which follows, says less.
 */
export function foldTransitions(events: readonly PlacedTold[]): Map<string, TransitionRow> {
  const rows = new Map<string, TransitionRow>();
  for (const { sequence, scopeId, transition } of events) {
    if (!transition) continue;
    const { from, to } = transition;
    const sessionId = to ?? from ?? '';
    const row: TransitionRow = { sessionId, came: to !== undefined, scopeId, sequence, transition };
    const key = transitionKey(row);
    if (!rows.has(key)) rows.set(key, row);
  }
  return rows;
}

export function transitionKey({ sessionId, came }: Pick<TransitionRow, 'sessionId' | 'came'>): string {
  return `${sessionId} ${came}`;
}
