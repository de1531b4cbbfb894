import { useEffect, useState } from 'preact/hooks';
import { rest } from '#waiting';
import { call } from './call';
import { type Access, currentAccess, isKnown, onAccess } from './credential';

const AGAIN_MS = 2_000;

/** Who asks. */
export function useAccess(): Access {
  const [access, setAccess] = useState(currentAccess);
  useEffect(() => {
    setAccess(currentAccess());
    return onAccess(setAccess);
  }, []);
  return access;
}

/** Asks the service who asks, until it answers. Signing in tells it as well. */
export async function learnWhoAsks(signal: AbortSignal): Promise<void> {
  while (!signal.aborted && currentAccess().caller === undefined) {
    await call('access', { signal }).then(isKnown, () => {});
    await rest(AGAIN_MS, signal);
  }
}
