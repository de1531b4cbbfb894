import type { Session } from '#client';
import { OwnerName, ScopeLink, SessionLink, when } from './shown';

/** Sessions of whatever scopes, as a short table. */
export function SessionRows({ sessions }: { sessions: readonly Session[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>User · project</th>
          <th>Status</th>
          <th>Owner</th>
          <th>Session</th>
          <th>Version</th>
          <th>Since (UTC)</th>
        </tr>
      </thead>
      <tbody>
        {sessions.map((session) => (
          <tr key={session.sessionId}>
            <td>
              <ScopeLink scope={session.scope} />
            </td>
            <td>
              <i class={`swatch ${session.status}`} />
              {session.status}
            </td>
            <td>
              <OwnerName owner={session.owner} />
            </td>
            <td>
              <SessionLink id={session.sessionId} />
            </td>
            <td>
              <bdi>{session.versionId}</bdi>
            </td>
            <td>{when(session.startedAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
