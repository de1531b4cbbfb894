import { useEffect, useRef, useState } from 'preact/hooks';
import { follow } from '../../data/stream';
import { type Filter, matches, type Row, rowOf, TailRows } from './tail-rows';

/** How often what came is shown: a busy ledger would have the page drawn at every event. */
const SHOWN_EVERY_MS = 200;

export interface Tail {
  rows: readonly Row[];
  /** How many wait while the page is paused. */
  waiting: number;
  count: number;
  isPaused: boolean;
  isOpen: boolean;
  trouble: string | undefined;
  pause(): void;
  goOn(): void;
}

/**
 * Follows what happens, as far as it matches. The feed is resumed where it broke off; the stream of a tenant begins at the
 * present, so a row says from when to when nothing was heard.
 */
export function useTail(path: '/v1/stream/tenant' | '/v1/feed/stream', filter: Filter): Tail {
  const rows = useRef(new TailRows());
  const asked = useRef(filter);
  const [state, setState] = useState({ isOpen: false, trouble: undefined as string | undefined });
  const [, redraw] = useState(0);
  const key = JSON.stringify(filter);
  useEffect(() => {
    asked.current = filter;
    rows.current.keep(filter);
    redraw((times) => times + 1);
  }, [key]);
  useEffect(() => {
    const stop = new AbortController();
    let came: Row[] = [];
    rows.current = new TailRows();
    setState({ isOpen: false, trouble: undefined });
    const show = setInterval(() => {
      if (came.length === 0) return;
      rows.current.add(came);
      came = [];
      redraw((times) => times + 1);
    }, SHOWN_EVERY_MS);
    let lostAt: string | undefined;
    void follow(path, {}, stop.signal, {
      opened() {
        if (lostAt !== undefined && path === '/v1/stream/tenant')
          came.push({
            key: lostAt,
            gap: `Disconnected from ${lostAt} to ${clock()}: events of that time are missing.`,
          });
        lostAt = undefined;
        setState({ isOpen: true, trouble: undefined });
      },
      event(event) {
        const row = rowOf(event);
        if (matches(row, asked.current)) came.push(row);
      },
      lost(trouble) {
        lostAt ??= clock();
        setState({ isOpen: false, trouble });
      },
    });
    return () => {
      stop.abort();
      clearInterval(show);
    };
  }, [path]);
  const { shown, waiting, count, isPaused } = rows.current;
  const change = (what: () => void) => () => {
    what();
    redraw((times) => times + 1);
  };
  return {
    ...state,
    ...{ rows: shown, waiting: waiting.length, count, isPaused },
    pause: change(() => rows.current.pause()),
    goOn: change(() => rows.current.goOn()),
  };
}

const clock = () => new Date().toISOString().slice(11, 19);
