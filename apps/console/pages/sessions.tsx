import { call } from '../data/call';
import { addressOf, go } from '../data/location';
import { usePolled } from '../data/use-polled';
import { nameOf, short } from '../timeline/model';

const FILTERS = ['environment', 'instance', 'projectId'] as const;

/** All current sessions. Every filter is in the address. */
export function SessionsPage({ about }: { about: Record<string, string> }) {
  const key = JSON.stringify(about);
  const { value, trouble } = usePolled(
    (signal) => call('listCurrent', { query: { limit: 100, ...about }, signal }),
    key,
    3_000,
  );
  return (
    <section class="card" aria-labelledby="current">
      <h1 id="current">Current sessions</h1>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          const given = [...new FormData(event.currentTarget)].filter(([, text]) => text !== '');
          go(addressOf('sessions', Object.fromEntries(given)));
        }}
      >
        {FILTERS.map((name) => (
          <label key={name}>
            {name === 'projectId' ? 'project' : name} <input name={name} defaultValue={about[name] ?? ''} />
          </label>
        ))}
        <label>
          status{' '}
          <select name="status" defaultValue={about.status ?? ''}>
            <option value="">any</option>
            <option>starting</option>
            <option>active</option>
            <option>released</option>
            <option>ending</option>
          </select>
        </label>
        <label>
          sorted{' '}
          <select name="sort" defaultValue={about.sort ?? 'newest'}>
            <option>newest</option>
            <option>oldest</option>
            <option>lease</option>
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            name="resetAdvised"
            value="true"
            defaultChecked={about.resetAdvised === 'true'}
          />{' '}
          reset advised
        </label>
        <button type="submit">Show</button>
      </form>
      {trouble && (
        <p class="trouble" role="status">
          {trouble}
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th>User</th>
            <th>Project</th>
            <th>Status</th>
            <th>Owner</th>
            <th>Session</th>
            <th>Epoch</th>
            <th>Since (UTC)</th>
            <th>Lease ends (UTC)</th>
          </tr>
        </thead>
        <tbody>
          {value?.sessions.map((session) => (
            <tr key={session.sessionId}>
              <td>
                <a href={addressOf('scope', session.scope)}>
                  <bdi>{session.scope.userId}</bdi>
                </a>
              </td>
              <td>
                <bdi>{session.scope.projectId}</bdi>
              </td>
              <td>
                <i class={`swatch ${session.status}`} />
                {session.status}
              </td>
              <td>
                <bdi>{nameOf(session.owner)}</bdi>
              </td>
              <td>
                <a href={addressOf('session', { id: session.sessionId })}>{short(session.sessionId)}</a>
              </td>
              <td>{session.epoch}</td>
              <td>{session.startedAt.slice(0, 19).replace('T', ' ')}</td>
              <td>{session.lease?.expiresAt?.slice(0, 19).replace('T', ' ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {value?.sessions.length === 0 && <p class="dim">No current session matches.</p>}
      {value?.next && <a href={addressOf('sessions', { ...about, next: value.next })}>Next page</a>}
    </section>
  );
}
