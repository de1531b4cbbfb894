import type { LedgerEvent, Owner, Problem, Session } from '#client';
import { call, Refused } from './call';
import { follow } from './stream';

/** An event, with what the service adds to those that it lists. */
export type SeenEvent = LedgerEvent & { ignoredstops?: number };

interface Carried {
  version: number;
  session?: Session;
  previous?: Session;
  sessionId?: string;
  origin?: Owner;
  by?: Owner;
  epoch?: number;
  why?: string;
  label?: string;
  reason?: string;
}
export const carried = (event: SeenEvent) => event.data as unknown as Carried;
/** `SessionStarted` of `session-ledger.SessionStarted.v1`. */
export const typeOf = (event: SeenEvent) => event.type.split('.')[1] ?? event.type;

export interface History {
  events: SeenEvent[];
  isComplete: boolean;
  archived?: Problem;
  trouble?: string;
}

/** Reads a scope's whole past, then follows it. `told` hears of the history as it grows; events stand in order, each once. */
export function followScope(
  scope: { userId: string; projectId: string },
  signal: AbortSignal,
  told: (history: History) => void,
): void {
  const events: SeenEvent[] = [];
  const live: SeenEvent[] = [];
  let state: Omit<History, 'events'> = { isComplete: false };
  const tell = (more: Partial<History> = {}) => {
    state = { ...state, ...more };
    told({ ...state, events });
  };
  const add = (event: SeenEvent) => {
    const last = events.at(-1);
    if (!last || carried(event).version > carried(last).version) events.push(event);
  };
  const readPast = async () => {
    let after = 0;
    for (;;) {
      try {
        const page = await call('scopeEvents', { query: { ...scope, after, limit: 500 }, signal });
        page.events.forEach(add);
        tell();
        if (page.next === undefined) break;
        after = page.next;
      } catch (error) {
        const first = error instanceof Refused ? error.problem?.firstVersion : undefined;
        if (!(error instanceof Refused) || first === undefined || first <= after) throw error;
        after = first - 1;
        tell({ ...(error.problem && { archived: error.problem }) });
      }
    }
    live.splice(0).forEach(add);
    tell({ isComplete: true });
  };
  let isReading = false;
  const read = () => {
    if (isReading) return;
    isReading = true;
    readPast().catch((error: unknown) => {
      isReading = false;
      if (!signal.aborted) tell({ trouble: error instanceof Error ? error.message : String(error) });
    });
  };
  void follow('/v1/stream', scope, signal, {
    // The stream is open before the past is read: nothing falls between the two.
    opened: () => {
      delete state.trouble;
      read();
      tell();
    },
    event: (event) => {
      if (!state.isComplete) return void live.push(event);
      add(event);
      tell();
    },
    lost: (trouble) => tell({ trouble }),
  });
}
