import { Acts } from '../acts/acts';
import { call } from '../data/call';
import { addressOf } from '../data/location';
import { usePolled } from '../data/use-polled';
import { nameOf, short } from '../timeline/model';

/** One session: its facts, the stops that it did not obey, and all that the service says of it. */
export function SessionPage({ id }: { id: string }) {
  const { value, trouble } = usePolled(
    (signal) => call('session', { params: { sessionId: id }, signal }),
    id,
    3_000,
  );
  if (!value)
    return (
      <p class="trouble" role="status">
        {trouble ?? 'Reading…'}
      </p>
    );
  const { refusals, ...session } = value;
  return (
    <>
      <h1>Session {short(id)}</h1>
      <Acts session={value} />
      {trouble && (
        <p class="trouble" role="status">
          {trouble}
        </p>
      )}
      <section class="card">
        <h2>Facts</h2>
        <dl>
          <dt>Scope</dt>
          <dd>
            <a href={addressOf('scope', session.scope)}>
              <bdi>{session.scope.userId}</bdi> · <bdi>{session.scope.projectId}</bdi>
            </a>
          </dd>
          <dt>Status</dt>
          <dd>
            <i class={`swatch ${session.status}`} />
            {session.status}
            {session.endCause && `, ${session.endCause}`}
          </dd>
          <dt>Owner</dt>
          <dd>
            <bdi>{nameOf(session.owner)}</bdi>
          </dd>
          <dt>Epoch</dt>
          <dd>{session.epoch}</dd>
          <dt>Chain</dt>
          <dd>
            {session.chainLength}
            {session.parentId && (
              <>
                {' '}
                · after <a href={addressOf('session', { id: session.parentId })}>{short(session.parentId)}</a>
              </>
            )}
            {session.successorId && (
              <>
                {' '}
                · before{' '}
                <a href={addressOf('session', { id: session.successorId })}>{short(session.successorId)}</a>
              </>
            )}
          </dd>
          <dt>Version</dt>
          <dd>
            <bdi>{session.versionId ?? 'none'}</bdi>
          </dd>
          <dt>Started</dt>
          <dd>{session.startedAt}</dd>
          {session.endedAt && (
            <>
              <dt>Ended</dt>
              <dd>{session.endedAt}</dd>
            </>
          )}
        </dl>
      </section>
      <section class="card">
        <h2>Stops that it did not obey</h2>
        {refusals.length === 0 ? (
          <p class="dim">None.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th>Time (UTC)</th>
                <th>Who</th>
                <th>Why</th>
                <th>Epoch it knew</th>
                <th>Times</th>
              </tr>
            </thead>
            <tbody>
              {refusals.map((one) => (
                <tr key={`${one.position.partition}:${one.position.sequence}`}>
                  <td>{one.at ?? 'archived'}</td>
                  <td>
                    <bdi>{nameOf(one.origin)}</bdi>
                  </td>
                  <td class="refused">{one.why}</td>
                  <td>{one.epoch}</td>
                  <td>{one.count}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <section class="card">
        <h2>As the service answers it</h2>
        <pre>{JSON.stringify(session, null, 2)}</pre>
      </section>
    </>
  );
}
