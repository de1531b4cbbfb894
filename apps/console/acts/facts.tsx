import type { Session } from '#client';
import { nameOf } from '../timeline/model';

/** What somebody has to know of a session before doing something to it. Beside what has changed stands what it was. */
export function Facts({ session, before }: { session: Session; before?: Session | undefined }) {
  const facts = factsOf(session);
  const old = before ? factsOf(before) : facts;
  return (
    <dl class="facts">
      {Object.entries(facts).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
            {old[name] !== value && <span class="refused"> was {old[name] ?? 'none'}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(session: Session): Record<string, string> {
  const { scope, sessionId, status, owner, epoch, principal, startedAt, reservedFor, endCause } = session;
  return {
    User: scope.userId,
    Project: scope.projectId,
    Session: sessionId,
    Status: endCause && endCause !== status ? `${status}, ${endCause}` : status,
    Owner: nameOf(owner),
    Epoch: String(epoch),
    Principal: principal,
    Started: startedAt,
    ...(reservedFor && { 'Reserved for': nameOf(reservedFor) }),
  };
}
