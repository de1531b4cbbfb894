import { useEffect, useState } from 'preact/hooks';
import { rest } from '#waiting';
import { troubleOf } from './call';
import { untilSeen } from './until-seen';

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
        await rest(wait, stop.signal);
      }
    })();
    return () => stop.abort();
  }, [key]);
  return state;
}
