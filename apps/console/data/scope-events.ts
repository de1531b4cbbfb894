import type { Problem } from '#client';
import { rest } from '#waiting';
import { call, Refused, troubleOf } from './call';
import { carried, type SeenEvent } from './seen-event';
import { follow } from './stream';

export interface History {
  events: SeenEvent[];
  isComplete: boolean;
  archived?: Problem;
  trouble?: string;
}

const PAGE = 500;
const AGAIN_MS = 1_000;

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
  const lastVersion = () => (events.length === 0 ? 0 : carried(events.at(-1)!).version);
  const add = (event: SeenEvent) => {
    if (carried(event).version > lastVersion()) events.push(event);
  };
  const readPast = async () => {
    let after = lastVersion();
    for (;;) {
      try {
        const page = await call('scopeEvents', { query: { ...scope, after, limit: PAGE }, signal });
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
    if (isOpen) delete state.trouble;
    tell({ isComplete: true });
  };
  let isOpen = false;
  let isReading = false;
  const read = async () => {
    if (isReading) return;
    isReading = true;
    while (!signal.aborted) {
      try {
        await readPast();
        break;
      } catch (error) {
        if (signal.aborted) break;
        tell({ trouble: troubleOf(error) });
        await rest(AGAIN_MS, signal);
      }
    }
    isReading = false;
    // What came meanwhile: also in the moment after the last page.
    live.splice(0).forEach(add);
    tell();
  };
  void follow('/v1/stream', scope, signal, {
    // The stream is open before the past is read: nothing falls between the two.
    opened: () => {
      isOpen = true;
      delete state.trouble;
      void read();
      tell();
    },
    event: (event) => {
      if (isReading || !state.isComplete) return void live.push(event);
      add(event);
      tell();
    },
    lost: (trouble) => {
      isOpen = false;
      tell({ trouble });
    },
    waiting: read,
  });
}
