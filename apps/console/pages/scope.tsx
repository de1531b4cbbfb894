import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Session } from '#client';
import { Acts } from '../acts/acts';
import { call } from '../data/call';
import { addressOf } from '../data/location';
import { carried, followScope, type History, typeOf } from '../data/scope-events';
import { nameOf, short, timelineOf, whatHappened } from '../timeline/model';
import { TimelineView } from '../timeline/timeline-view';

const ROWS = 200;
const STATUSES = ['active', 'starting', 'released', 'ending'];

export function ScopePage({ userId, projectId }: { userId: string; projectId: string }) {
  const [history, setHistory] = useState<History>({ events: [], isComplete: false });
  const [asOf, setAsOf] = useState<number>();
  useEffect(() => {
    const stop = new AbortController();
    let frame = 0;
    setHistory({ events: [], isComplete: false });
    followScope({ userId, projectId }, stop.signal, (told) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setHistory({ ...told }));
    });
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [userId, projectId]);
  const { events, archived, trouble, isComplete } = history;
  const timeline = useMemo(() => timelineOf(events), [events, events.length]);
  const latest = events.findLast((event) => carried(event).session);
  return (
    <>
      <Now
        userId={userId}
        projectId={projectId}
        session={latest && carried(latest).session}
        isComplete={isComplete}
      />
      {latest && <Acts session={carried(latest).session!} />}
      {trouble && (
        <p class="trouble" role="status">
          {trouble}
        </p>
      )}
      {archived && (
        <p class="trouble">
          Events before version {archived.firstVersion} are archived. They are in{' '}
          {archived.files?.map(({ file }) => file).join(', ')}.
        </p>
      )}
      <section class="card" aria-labelledby="owned">
        <h2 id="owned">Who owned it</h2>
        {events.length > 0 && <TimelineView timeline={timeline} asOf={asOf} />}
        <p class="key">
          {STATUSES.map((status) => (
            <span key={status}>
              <i class={`swatch ${status}`} />
              {status}
            </span>
          ))}
          <span class="refused">✕ stop ignored</span>
          <span>Other refused commands are counted, not kept.</span>
        </p>
        {events.length > 0 && (
          <AsOf userId={userId} projectId={projectId} start={timeline.start} asOf={asOf} setAsOf={setAsOf} />
        )}
      </section>
      <section class="card" aria-labelledby="happened">
        <h2 id="happened">What happened</h2>
        <table>
          <thead>
            <tr>
              <th>Time (UTC)</th>
              <th>Who</th>
              <th>What</th>
              <th>Session</th>
              <th>Epoch</th>
              <th>Position</th>
            </tr>
          </thead>
          <tbody>
            {events
              .slice(-ROWS)
              .reverse()
              .map((event) => {
                const { session, previous, sessionId, origin, epoch } = carried(event);
                const about = session ?? previous;
                const id = about?.sessionId ?? sessionId;
                return (
                  <tr key={event.id} class={typeOf(event) === 'StopIgnored' ? 'refused-row' : ''}>
                    <td>{event.time.slice(0, 23).replace('T', ' ')}</td>
                    <td>
                      {(origin ?? about?.owner)
                        ? nameOf(origin ?? about?.owner)
                        : (event.principal ?? 'time')}
                    </td>
                    <td>{whatHappened(event)}</td>
                    <td>{id && <a href={addressOf('session', { id })}>{short(id)}</a>}</td>
                    <td>{about?.epoch ?? epoch}</td>
                    <td>
                      {event.partition}:{Number(event.sequence)}
                    </td>
                  </tr>
                );
              })}
          </tbody>
        </table>
        {events.length > ROWS && (
          <p class="dim">
            The newest {ROWS} of {events.length} events.
          </p>
        )}
      </section>
    </>
  );
}

function Now({
  userId,
  projectId,
  session,
  isComplete,
}: {
  userId: string;
  projectId: string;
  session: Session | undefined;
  isComplete: boolean;
}) {
  const title = (
    <h1>
      <bdi>{userId}</bdi> · <bdi>{projectId || 'no project'}</bdi>
    </h1>
  );
  if (!session)
    return (
      <div class="now">
        {title}
        <span class="dim">{isComplete ? 'No session was ever started here.' : 'Reading the history…'}</span>
      </div>
    );
  return (
    <div class="now">
      {title}
      <span>
        <i class={`swatch ${session.status}`} />
        {session.status === 'ended' ? 'none is current' : session.status}
        {session.owner && ` on ${nameOf(session.owner)}`}
      </span>
      <span class="dim">
        session <a href={addressOf('session', { id: session.sessionId })}>{short(session.sessionId)}</a>
      </span>
      <span class="dim">
        epoch <b>{session.epoch}</b>
      </span>
      <span class="dim">
        chain{' '}
        <b>
          {session.chainLength}
          {session.policy?.maxChainLength && ` of ${session.policy.maxChainLength}`}
        </b>
      </span>
      {session.attributes === 'erased' && <span class="dim">details erased</span>}
    </div>
  );
}

interface Asked {
  userId: string;
  projectId: string;
  start: number;
  asOf: number | undefined;
  setAsOf: (at: number) => void;
}

/** What a reader would have been answered at a moment, as the service says it. */
function AsOf({ userId, projectId, start, asOf, setAsOf }: Asked) {
  const [answer, setAnswer] = useState('');
  useEffect(() => {
    if (asOf === undefined) return;
    const stop = new AbortController();
    const moment = new Date(asOf).toISOString();
    const timer = setTimeout(() => {
      call('currentSession', { query: { userId, projectId, asOf: moment }, signal: stop.signal }).then(
        (session) =>
          setAnswer(
            session
              ? `As of ${moment.slice(11, 23)} the current session was ${short(session.sessionId)}, ${session.status}, of ${nameOf(session.owner)}, epoch ${session.epoch}.`
              : `As of ${moment.slice(11, 23)} no session was current.`,
          ),
        (error: unknown) =>
          stop.signal.aborted || setAnswer(error instanceof Error ? error.message : String(error)),
      );
    }, 80);
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
          onInput={(event) => setAsOf(Number(event.currentTarget.value))}
        />
      </label>
      <output>{answer || 'Move the slider to see what a reader would have got then.'}</output>
    </p>
  );
}
