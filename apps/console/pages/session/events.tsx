import { useState } from 'preact/hooks';
import type { Session } from '#client';
import { reasonOf } from '../../data/call';
import type { RawEvent } from '../../data/raw-events';
import { type Archived, readSessionEvents, type SessionEvents } from '../../data/session-events';
import { useLatest } from '../../data/use-latest';
import { whatHappened } from '../../timeline/model';
import { Trouble, when } from '../parts/shown';
import { Proof } from './proof';

/** The events that are about a session, as they stand in the log. They are read when somebody wants them. */
export function Events({ session }: { session: Session }) {
  const [found, setFound] = useState<SessionEvents>();
  const [trouble, setTrouble] = useState<string>();
  const [isReading, setReading] = useState(false);
  const begin = useLatest();
  const { sessionId, revision } = session;
  const read = (before: SessionEvents | undefined) => {
    const signal = begin();
    setReading(true);
    readSessionEvents(session, before, signal).then(
      (told) => {
        setReading(false);
        setTrouble(undefined);
        setFound(told);
      },
      (error: unknown) => {
        if (signal.aborted) return;
        setReading(false);
        setTrouble(reasonOf(error));
      },
    );
  };
  return (
    <section class="card" aria-labelledby="events">
      <h2 id="events">Events as they stand</h2>
      <details key={sessionId} onToggle={(event) => event.currentTarget.open && !found && read(undefined)}>
        <summary>The exact bytes of this session's events, and their proofs</summary>
        <Trouble text={trouble} />
        {found?.archived && <InArchive archived={found.archived} />}
        <ol class="events">
          {found?.events.map((one) => (
            <OneEvent key={one.event.id} one={one} />
          ))}
        </ol>
        {found?.events.length === 0 && <p class="dim">The ledger has no event about this session.</p>}
        <p class="pages">
          {isReading ? (
            <span role="status">Reading…</span>
          ) : (
            <>
              {found?.next !== undefined && (
                <button type="button" onClick={() => read(found)}>
                  Show more
                </button>
              )}
              <button
                type="button"
                onClick={() => read(undefined)}
                title={`The session is at revision ${revision} now`}
              >
                Read again
              </button>
            </>
          )}
        </p>
      </details>
    </section>
  );
}

const MOST_FILES = 20;

function InArchive({ archived: { firstVersion, files } }: { archived: Archived }) {
  const more = (files?.length ?? 0) - MOST_FILES;
  return (
    <p class="trouble">
      Events of the scope before version {firstVersion} are archived.{' '}
      {files === undefined
        ? 'The names of the files require the permission audit.'
        : `They are in ${files.slice(-MOST_FILES).join(', ')}${more > 0 ? `, or in one of ${more} older ${more === 1 ? 'file' : 'files'}` : ''}.`}
    </p>
  );
}

function OneEvent({ one: { event, text } }: { one: RawEvent }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary>
          <span class="dim">{when(event.time, 23)}</span> {whatHappened(event)}{' '}
          <span class="dim">
            {event.id}
            {event.principal !== undefined && (
              <>
                , <bdi>{event.principal}</bdi>
              </>
            )}
          </span>
        </summary>
        {isOpen && (
          <>
            <pre class="raw">{text}</pre>
            <Proof position={event.id} text={text} />
          </>
        )}
      </details>
    </li>
  );
}
