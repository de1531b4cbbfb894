import type { Session } from '#client';
import { Acts } from '../acts/acts';
import { call } from '../data/call';
import { usePolled } from '../data/use-polled';
import { short } from '../timeline/model';
import { Reading, SessionLink, Trouble, when } from './parts/shown';
import { Chain } from './session/chain';
import { Events } from './session/events';
import { Facts } from './session/facts';
import { Refusals } from './session/refusals';

/** An ended session hears of late stops and late usage alone. */
const [LIVE_MS, ENDED_MS] = [3_000, 15_000];

/** One session: its facts, its chain, its checkpoints, the stops that it ignored, and its events with their proofs. */
export function SessionPage({ id }: { id: string }) {
  const { value, trouble } = usePolled(
    (signal) => call('session', { params: { sessionId: id }, signal }),
    id,
    ({ status }) => (status === 'ended' ? ENDED_MS : LIVE_MS),
  );
  if (!value) return <Reading trouble={trouble} />;
  const { refusals, ...session } = value;
  return (
    <>
      <h1 title={id}>Session {short(id)}</h1>
      <Acts session={session} />
      <Trouble text={trouble} />
      <div class="halves">
        <Facts session={session} />
        <div class="stack">
          <Neighbours session={session} />
          <Refusals refusals={refusals} />
          <Checkpoints session={session} />
        </div>
      </div>
      <Chain key={`chain ${id}`} session={session} />
      <Events key={`events ${id}`} session={session} />
      <section class="card">
        <h2>As the service answers it</h2>
        <details>
          <summary>The session as JSON</summary>
          <pre>{JSON.stringify(session, null, 2)}</pre>
        </details>
      </section>
    </>
  );
}

function Neighbours({
  session: { sessionId, parentId, rootId, successorId, chainLength },
}: {
  session: Session;
}) {
  return (
    <section class="card" aria-labelledby="place">
      <h2 id="place">Place</h2>
      <dl>
        <dt>Session id</dt>
        <dd class="id">{sessionId}</dd>
        <dt>Chain</dt>
        <dd>
          link {chainLength}
          {parentId && (
            <>
              {' '}
              · after <SessionLink id={parentId} />
            </>
          )}
          {successorId && (
            <>
              {' '}
              · before <SessionLink id={successorId} />
            </>
          )}
          {rootId !== sessionId && (
            <>
              {' '}
              · root <SessionLink id={rootId} />
            </>
          )}
        </dd>
      </dl>
    </section>
  );
}

/** Labels never move: those of the scope are asked for seldom. */
function Checkpoints({ session: { sessionId, scope } }: { session: Session }) {
  const { value, trouble } = usePolled(
    (signal) => call('checkpoints', { query: scope, signal }),
    JSON.stringify(scope),
    15_000,
  );
  const own = value?.checkpoints.filter((one) => one.sessionId === sessionId);
  return (
    <section class="card" aria-labelledby="checkpoints">
      <h2 id="checkpoints">Checkpoints</h2>
      <Trouble text={trouble} />
      {own?.length === 0 && <p class="dim">None on this session.</p>}
      {own && own.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Label</th>
              <th>Marked (UTC)</th>
            </tr>
          </thead>
          <tbody>
            {own.map(({ label, markedAt }) => (
              <tr key={label}>
                <td>
                  <bdi>{label}</bdi>
                </td>
                <td>{when(markedAt, 23)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
