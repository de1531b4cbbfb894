import { call } from '../data/call';
import { addressOf } from '../data/location';
import { usePolled } from '../data/use-polled';
import { short } from '../timeline/model';

/** What consumers say they hold, and since when it is not what is current. */
export function HoldersPage({ about }: { about: Record<string, string> }) {
  const { value, trouble } = usePolled(
    (signal) => call('stats', { query: { maxAge: 2, ...about }, signal }),
    JSON.stringify(about),
    3_000,
  );
  if (!value)
    return (
      <p class="trouble" role="status">
        {trouble ?? 'Reading…'}
      </p>
    );
  const { consumers, list, next } = value.sync;
  return (
    <>
      <h1>Who holds what</h1>
      {trouble && (
        <p class="trouble" role="status">
          {trouble}
        </p>
      )}
      <section class="card">
        <h2>Consumers</h2>
        {consumers.length === 0 ? (
          <p class="dim">No consumer has reported a session.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th>Consumer</th>
                <th>In sync</th>
                <th>Out of sync</th>
                <th>Unknown</th>
              </tr>
            </thead>
            <tbody>
              {consumers.map((one) => (
                <tr key={one.consumer}>
                  <td>
                    <a href={addressOf('holders', { consumer: one.consumer })}>
                      <bdi>{one.consumer}</bdi>
                    </a>
                  </td>
                  <td>{one.inSync}</td>
                  <td>{one.outOfSync}</td>
                  <td>{one.unknown}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <section class="card">
        <h2>Not in sync</h2>
        {list.length === 0 ? (
          <p class="dim">All consumers are in sync.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th>Consumer</th>
                <th>Scope</th>
                <th>State</th>
                <th>Holds</th>
                <th>Current</th>
                <th>Since (UTC)</th>
              </tr>
            </thead>
            <tbody>
              {list.map((one) => (
                <tr key={JSON.stringify([one.consumer, one.userId, one.projectId])}>
                  <td>
                    <bdi>{one.consumer}</bdi>
                  </td>
                  <td>
                    <a href={addressOf('scope', { userId: one.userId, projectId: one.projectId })}>
                      <bdi>{one.userId}</bdi> · <bdi>{one.projectId}</bdi>
                    </a>
                  </td>
                  <td class="refused">{one.state}</td>
                  <td>{short(one.sessionId)}</td>
                  <td>{one.currentId ? short(one.currentId) : 'none'}</td>
                  <td>{one.since}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {next && <a href={addressOf('holders', { ...about, after: next })}>Next page</a>}
      </section>
    </>
  );
}
