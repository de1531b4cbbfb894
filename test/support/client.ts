import {
  CurrentReplica,
  type FollowedEvent,
  Follower,
  type FollowerStopped,
  type FollowOptions,
  type LedgerClient,
  type Loss,
  type OwnedSession,
  type ReplicaOptions,
} from '#client';

/** What a promise fails with. */
export const failed = <Failure = Error>(promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

export const lossOf = (session: OwnedSession) => new Promise<Loss>((resolve) => session.onLost(resolve));

/** What is stopped after each test, whatever becomes of that. */
export const running = new Set<{ stop(): Promise<void> }>();
afterEach(async () => {
  await Promise.all([...running].map((one) => one.stop()));
  running.clear();
});

/** Follows a ledger until the test is over, and keeps what the follower tells. */
export function startFollowing(
  options: Partial<FollowOptions> & Pick<FollowOptions, 'from'> & { ledger: LedgerClient },
) {
  const events: FollowedEvent[] = [];
  const troubles: unknown[] = [];
  const stops: FollowerStopped[] = [];
  const follower = new Follower({
    onEvents: (batch) => void events.push(...batch),
    onTrouble: (error) => troubles.push(error),
    onStopped: (why) => stops.push(why),
    ...options,
  });
  running.add(follower);
  return { follower, events, troubles, stops };
}

/** A replica that is closed when the test is over. */
export async function openReplica(options: ReplicaOptions): Promise<CurrentReplica> {
  const replica = await CurrentReplica.open(options);
  running.add({ stop: () => replica.close() });
  return replica;
}
