import type { Owner } from '#client';
import { addressOf } from '../../data/location';
import { nameOf, short } from '../../timeline/model';

/** What went wrong, said to those who read with their ears as well. */
export const Trouble = ({ text }: { text: string | undefined }) =>
  text === undefined ? null : (
    <p class="trouble" role="status">
      {text}
    </p>
  );

/** Until there is something to show. */
export const Reading = ({ trouble }: { trouble: string | undefined }) =>
  trouble === undefined ? (
    <p class="dim" role="status">
      Reading…
    </p>
  ) : (
    <Trouble text={trouble} />
  );

/** A time as the service says it, without the letters. All are UTC. */
export const when = (instant: string | undefined, digits = 19): string =>
  instant?.slice(0, digits).replace('T', ' ') ?? '';

/** Text from outside: it keeps its own direction, and changes nothing around it. */
export const OwnerName = ({ owner }: { owner: Owner | undefined }) =>
  owner ? <bdi>{nameOf(owner)}</bdi> : <span class="dim">no owner</span>;

export const SessionLink = ({ id }: { id: string }) => (
  <a href={addressOf('session', { id })} title={id} class="id">
    {short(id)}
  </a>
);

export const ScopeLink = ({ scope }: { scope: { userId: string; projectId: string } }) => (
  <a href={addressOf('scope', scope)}>
    <bdi>{scope.userId}</bdi> · <bdi>{scope.projectId}</bdi>
  </a>
);
