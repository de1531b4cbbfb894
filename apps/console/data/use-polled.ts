import { useEffect, useState } from 'preact/hooks';
import { troubleOf } from './call';

export interface Polled<Value> {
  value?: Value;
  trouble?: string;
}

/** A service that is in trouble is asked ever less often, up to this. */
const MOST_MS = 10_000;
const FIRST_MS = 1_000;

/**
 * Asks again and again while the page is seen, each time `everyMs` after the last answer: a slow service is asked once at a
 * time. What was answered last stays when the service does not answer.
 */
export function usePolled<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  key: string,
  everyMs: number | ((value: Value) => number),
): Polled<Value> {
  const [state, setState] = useState<Polled<Value>>({});
  useEffect(() => {
    const stop = new AbortController();
    setState({});
    void (async () => {
      for (let wait = FIRST_MS; !stop.signal.aborted; ) {
        await untilSeen(stop.signal);
        if (stop.signal.aborted) return;
        await ask(stop.signal).then(
          (value) => {
            wait = typeof everyMs === 'number' ? everyMs : everyMs(value);
            if (!stop.signal.aborted) setState({ value });
          },
          (error: unknown) => {
            wait = Math.min(2 * wait, Math.max(MOST_MS, wait));
            if (!stop.signal.aborted) setState((last) => ({ ...last, trouble: troubleOf(error) }));
          },
        );
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    })();
    return () => stop.abort();
  }, [key]);
  return state;
}

/** At once while the page is seen, else when it is seen again: a hidden tab asks for nothing. */
function untilSeen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
    look();
  });
}
