import { useEffect, useState } from 'preact/hooks';
import type { Operations } from '#client';
import { call, reasonOf } from '../data/call';
import { type Counted, countCurrent, numberOf } from '../data/current-of';
import { addressOf } from '../data/location';
import { useMay } from '../signing-in/allowed';

type Erased = Operations['eraseDetails']['answer']['erased'];

/** Forgets the details of a user, or of one of the user's projects. Whoever asks types whose they are. */
export function ErasePage({ about: { userId = '', projectId } }: { about: Record<string, string> }) {
  const [typed, setTyped] = useState('');
  const [erased, setErased] = useState<Erased>([]);
  const [state, setState] = useState<'asked' | 'erasing' | 'done'>('asked');
  const [trouble, setTrouble] = useState<string>();
  if (userId === '') return <p class="trouble">The URL names no user: add ?userId=… to it.</p>;
  const erase = async () => {
    setState('erasing');
    setTrouble(undefined);
    try {
      for (let isComplete = false; !isComplete; ) {
        const query = { userId, ...(projectId && { projectId }) };
        const answer = await call('eraseDetails', { query });
        setErased((before) => [...before, ...answer.erased]);
        isComplete = answer.complete;
      }
      setState('done');
    } catch (error) {
      setTrouble(`${reasonOf(error)} Details erased so far stay erased. Erase again to continue.`);
      setState('asked');
    }
  };
  return (
    <section class="card stack narrow-text">
      <h1>
        Erase details of <bdi>{userId}</bdi>
        {projectId && (
          <>
            {' '}
            in <bdi>{projectId}</bdi>
          </>
        )}
      </h1>
      <p>
        This erases the attributes and handles of all sessions{' '}
        {projectId ? 'of this scope' : 'of this user in all projects'}, including ended ones. It cannot be
        undone. The events stay, and with them the history of owners. Attributes that arrive later are stored
        again, so stop their sender first.
      </p>
      {projectId && (
        <p>
          <a href={addressOf('erase', { userId })}>Erase all of this user's projects instead</a>
        </p>
      )}
      <CurrentOf userId={userId} />
      {trouble && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      {state !== 'done' && (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (typed === userId && state === 'asked') void erase();
          }}
        >
          <label>
            Type the user's id to confirm
            <input
              value={typed}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          <div class="buttons">
            <button type="submit" class="danger" disabled={typed !== userId || state === 'erasing'}>
              {state === 'erasing' ? 'Erasing…' : 'Erase for good'}
            </button>
          </div>
        </form>
      )}
      {state === 'done' && erased.length === 0 && <p role="status">There was nothing to erase.</p>}
      {erased.length > 0 && <ErasedScopes erased={erased} isDone={state === 'done'} />}
    </section>
  );
}

function ErasedScopes({ erased, isDone }: { erased: Erased; isDone: boolean }) {
  return (
    <>
      <p role="status">
        {isDone ? 'Erased.' : 'Erasing…'} The ledger wrote {erased.length.toLocaleString('en')}{' '}
        {erased.length === 1 ? 'event' : 'events'}:
      </p>
      <table>
        <thead>
          <tr>
            <th>Project</th>
            <th>Event</th>
          </tr>
        </thead>
        <tbody>
          {erased.slice(0, 500).map(({ scope, position }) => (
            <tr key={scope.projectId}>
              <td>
                <a href={addressOf('scope', scope)}>
                  <bdi>{scope.projectId}</bdi>
                </a>
              </td>
              <td>
                DetailsErased {position.partition}:{position.sequence}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** What runs with these details at the moment, for who may read it. */
function CurrentOf({ userId }: { userId: string }) {
  const mayRead = useMay('read');
  const [counted, setCounted] = useState<Counted>();
  useEffect(() => {
    if (!mayRead) return;
    const stop = new AbortController();
    // Where it cannot be read the page says nothing of it: it is no part of erasing.
    countCurrent({ userId }, stop.signal, setCounted).catch(() => {});
    return () => stop.abort();
  }, [mayRead, userId]);
  if (!counted) return null;
  return (
    <p>
      {counted.count === 0
        ? 'No session of the user is current.'
        : `${numberOf(counted)} of the user ${counted.count === 1 ? 'is' : 'are'} current and will continue.`}
    </p>
  );
}
