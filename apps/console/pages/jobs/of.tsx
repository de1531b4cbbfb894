import type { Operations } from '#client';
import { addressOf } from '../../data/location';

/** Which sessions, as a link to what is still current of them. */
export function Of({
  select: { userId, environment, instance },
}: {
  select: Operations['bulkJob']['answer']['select'];
}) {
  if (userId !== undefined)
    return (
      <>
        all sessions of <bdi>{userId}</bdi>
      </>
    );
  return (
    <>
      all sessions of{' '}
      <a href={addressOf('sessions', { environment, instance })}>
        <bdi>{instance === undefined ? environment : `${environment} / ${instance}`}</bdi>
      </a>
    </>
  );
}
