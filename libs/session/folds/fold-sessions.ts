import type { Session, SessionId } from '../session.js';
import type { PlacedTold } from '../told.js';

/** A row of the read model: one session as it is after the events that were folded. */
export interface SessionRow {
  sessionId: SessionId;
  scopeId: string;
  /** Sequence of the event that began it; undefined when that lies before the events that were folded. */
  started: number | undefined;
  /** Sequence of the last event that changed it. */
  sequence: number;
  session: Session;
}

/** Folds events, in order, into rows by session. Of each session the last state stands. */
export function foldSessions(events: readonly PlacedTold[]): Map<SessionId, SessionRow> {
  const rows = new Map<SessionId, SessionRow>();
  for (const { sequence, scopeId, sessions, began } of events) {
    for (const session of sessions) {
      const { sessionId } = session;
      const started = sessionId === began ? sequence : rows.get(sessionId)?.started;
      rows.set(sessionId, { sessionId, scopeId, started, sequence, session });
    }
  }
  return rows;
}
