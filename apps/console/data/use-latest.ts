import { useEffect, useRef } from 'preact/hooks';

/** Begins something, and ends what was begun before: what is asked last counts. All ends with who asks. */
export function useLatest(): () => AbortSignal {
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  return () => {
    running.current?.abort();
    const begun = new AbortController();
    running.current = begun;
    return begun.signal;
  };
}
