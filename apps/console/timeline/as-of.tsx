import { useEffect, useState } from 'preact/hooks';
import { call, reasonOf } from '../data/call';
import { nameOf, short } from './model';
import { clock } from './timeline-view';

interface Props {
  userId: string;
  projectId: string;
  start: number;
  asOf: number | undefined;
  setAsOf: (at: number | undefined) => void;
}
/** The slider is moved on: what is asked for each place that it passes nobody reads. */
const SETTLED_MS = 80;

/** What a reader would have been answered at a moment, as the service says it. */
export function AsOf({ userId, projectId, start, asOf, setAsOf }: Props) {
  const [answer, setAnswer] = useState('');
  useEffect(() => {
    if (asOf === undefined) return setAnswer('');
    const stop = new AbortController();
    const moment = new Date(asOf).toISOString();
    const timer = setTimeout(() => {
      call('currentSession', { query: { userId, projectId, asOf: moment }, signal: stop.signal }).then(
        (session) =>
          setAnswer(
            session
              ? `As of ${clock(asOf)} the current session was ${short(session.sessionId)}, ${session.status}, of ${nameOf(session.owner)}, epoch ${session.epoch}.`
              : `As of ${clock(asOf)} no session was current.`,
          ),
        (error: unknown) => stop.signal.aborted || setAnswer(reasonOf(error)),
      );
    }, SETTLED_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [userId, projectId, asOf]);
  const now = Date.now();
  return (
    <p class="as-of">
      <label>
        As of{' '}
        <input
          type="range"
          min={start}
          max={now}
          step={Math.max(1, Math.floor((now - start) / 2_000))}
          value={asOf ?? now}
          aria-valuetext={asOf === undefined ? 'now' : clock(asOf)}
          onInput={(event) => setAsOf(Number(event.currentTarget.value))}
        />
      </label>
      {asOf !== undefined && (
        <button type="button" onClick={() => setAsOf(undefined)}>
          Now
        </button>
      )}
      <output>{answer || 'Move the slider to see the session that was current then.'}</output>
    </p>
  );
}
