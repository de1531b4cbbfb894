import { useEffect, useState } from 'preact/hooks';
import { CURRENT_STATUSES, type Session } from '#client';
import { Acts } from '../acts/acts';
import { call } from '../data/call';
import { addressOf } from '../data/location';
import { followScope, type History } from '../data/scope-events';
import { carried } from '../data/seen-event';
import { usePolled } from '../data/use-polled';
import { AsOf } from '../timeline/as-of';
import type { View } from '../timeline/draw';
import { EventsTable } from '../timeline/events-table';
import { nameOf, short, Timeline } from '../timeline/model';
import { TimelineView } from '../timeline/timeline-view';

interface Scope {
  userId: string;
  projectId: string;
}

/** Who owned a scope and what happened there, live. */
export function ScopePage(scope: Scope) {
  const { timeline, history } = useScope(scope);
  const [asOf, setAsOf] = useState<number>();
  const [view, setView] = useState<View>();
  const { events, archived, trouble, isComplete } = history;
  const latest = events.findLast((event) => carried(event).session);
  return (
    <>
      <Now {...scope} session={latest && carried(latest).session} isComplete={isComplete} />
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
        {events.length > 0 && (
          <TimelineView timeline={timeline} count={events.length} asOf={asOf} onView={setView} />
        )}
        <p class="key">
          {CURRENT_STATUSES.map((status) => (
            <span key={status}>
              <i class={`swatch ${status}`} />
              {status}
            </span>
          ))}
          <span class="refused">✕ stop ignored</span>
          <span>Other refused commands are only counted.</span>
        </p>
        {events.length > 0 && <AsOf {...scope} start={timeline.start} asOf={asOf} setAsOf={setAsOf} />}
      </section>
      <section class="card" aria-labelledby="happened">
        <h2 id="happened">What happened</h2>
        {isComplete ? (
          <EventsTable events={events} view={view} />
        ) : (
          <p class="dim">
            Reading the history…{' '}
            {events.length > 0 && `${events.length} ${events.length === 1 ? 'event' : 'events'} so far.`}
          </p>
        )}
      </section>
    </>
  );
}

/** A scope's history as it grows; at most once a frame it is told. */
function useScope({ userId, projectId }: Scope): { timeline: Timeline; history: History } {
  const nothing = () => ({ timeline: new Timeline(), history: { events: [], isComplete: false } as History });
  const [known, setKnown] = useState(nothing);
  useEffect(() => {
    const stop = new AbortController();
    let frame = 0;
    const fresh = nothing();
    setKnown(fresh);
    followScope({ userId, projectId }, stop.signal, (history) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        fresh.timeline.take(history.events);
        setKnown({ timeline: fresh.timeline, history });
      });
    });
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [userId, projectId]);
  return known;
}

interface Known extends Scope {
  session: Session | undefined;
  isComplete: boolean;
}

function Now({ userId, projectId, session, isComplete }: Known) {
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
    <div class="now" data-complete={isComplete || undefined}>
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
      {session.lease && <Lease userId={userId} projectId={projectId} revision={session.revision} />}
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

/** When the lease is over unless it is renewed: no event tells of a renewal. */
function Lease({ userId, projectId, revision }: Scope & { revision: number }) {
  const { value } = usePolled(
    (signal) => call('currentSession', { query: { userId, projectId, include: 'lease' }, signal }),
    JSON.stringify([userId, projectId, revision]),
    5_000,
  );
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const end = value?.lease?.expiresAt;
  if (end === undefined) return null;
  const seconds = Math.max(0, Math.round((Date.parse(end) - now) / 1_000));
  return (
    <span class="dim">
      lease ends in <b>{seconds} s</b>
    </span>
  );
}
