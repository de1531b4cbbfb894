import { useEffect, useState } from 'preact/hooks';

export interface Polled<Value> {
  value?: Value;
  trouble?: string;
}

/** Asks again and again while the page is seen. What was answered last stays when the service does not answer. */
export function usePolled<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  key: string,
  everyMs: number,
): Polled<Value> {
  const [state, setState] = useState<Polled<Value>>({});
  useEffect(() => {
    const stop = new AbortController();
    setState({});
    void (async () => {
      while (!stop.signal.aborted) {
        if (!document.hidden)
          await ask(stop.signal).then(
            (value) => stop.signal.aborted || setState({ value }),
            (error: unknown) =>
              stop.signal.aborted ||
              setState((last) => ({
                ...last,
                trouble: error instanceof Error ? error.message : String(error),
              })),
          );
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    })();
    return () => stop.abort();
  }, [key, everyMs]);
  return state;
}
