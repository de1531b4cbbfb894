import {
  accepted,
  activateSession,
  at,
  changeAttributes,
  claimedBy,
  claimOwnership,
  current,
  drainedBy,
  endSession,
  event,
  given,
  handle,
  lease,
  refused,
  refusedAfter,
  releaseOwnership,
  renewedBy,
  renewLease,
  rotateSession,
  session,
  settledAt,
  settleSession,
  startedOn,
  startSession,
  stopIgnoredAfter,
  touchSession,
} from '../specification.js';

// Leases that are over. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const forced = { force: true, operate: true };
const leased = startedOn(dev, lease()); // over at 10, its grace at 15
const endsOnLapse = startedOn(dev, lease({ onLapse: 'end' }));
const withoutGrace = startedOn(dev, lease({ graceSeconds: 0 }));

/** Every command that its owner can send, stops aside, and what others need its epoch for. */
const commands = [
  { command: 'activate', ask: (second: number) => activateSession({ by: dev, second }) },
  {
    command: 'rotate',
    ask: (second: number) => rotateSession({ by: dev, successorHandle: handle('h'), second }),
  },
  { command: 'release', ask: (second: number) => releaseOwnership({ by: dev, second }) },
  { command: 'release to another', ask: releaseToDebug },
  { command: 'claim', ask: (second: number) => claimOwnership(dev, { second }) },
  { command: 'a forced claim', ask: (second: number) => claimOwnership(debug, { second, ...forced }) },
  { command: 'renew', ask: (second: number) => renewLease({ by: dev, second }) },
  { command: 'attributes', ask: (second: number) => changeAttributes({ by: dev, second }) },
];
function releaseToDebug(second: number) {
  return releaseOwnership({ by: dev, to: debug, reservedSeconds: 30, second });
}
const stops = [
  { command: 'end', ask: (second: number) => endSession({ origin: dev, second }) },
  { command: 'a drain', ask: (second: number) => endSession({ origin: dev, second, drainSeconds: 9 }) },
  { command: 'a forced end', ask: (second: number) => endSession({ origin: dev, second, ...forced }) },
];

describe.each(commands)('a lease that is over, and the log does not know: $command', ({ ask }) => {
  test('commands.md#corner-7: lapses first, and is then stale-epoch with the session that is left', () => {
    given(leased)
      .when(ask(10))
      .then(
        refusedAfter(['OwnershipLapsed'], 'stale-epoch'),
        current({ sessionId: 'session-1', status: 'released', epoch: 2, revision: 2 }),
        current({ reservedFor: { environment: dev }, reservedUntil: at(15), expiresAt: at(15) }),
      );
  });

  test('commands.md#corner-7: without grace there is nothing left: session-ended', () => {
    given(withoutGrace)
      .when(ask(10))
      .then(refusedAfter(['OwnershipLapsed', 'SessionExpired'], 'session-ended'), current(undefined));
  });

  test('commands.md#corner-7: that ends on a lapse: session-ended', () => {
    given(endsOnLapse)
      .when(ask(10))
      .then(refusedAfter(['SessionExpired'], 'session-ended'), current(undefined));
  });

  test('commands.md#corner-7: lapses once, to the second', () => {
    given(leased, settledAt(12)).when(ask(13)).then(refusedOnlyOnce);
    given(leased)
      .when(ask(9.999))
      .then(({ decision }) => expect(decision.events).not.toMatchObject([{ type: 'OwnershipLapsed' }]));
  });
});

function refusedOnlyOnce({ decision }: { decision: { events: unknown[] } }): void {
  expect(decision.events.filter((one) => JSON.stringify(one).includes('OwnershipLapsed'))).toEqual([]);
}

describe.each(stops)('a lease that is over, and the log does not know: $command', ({ ask }) => {
  test('commands.md#corner-7: lapses first, and is then stale-epoch and recorded', () => {
    given(leased)
      .when(ask(10))
      .then(
        stopIgnoredAfter(['OwnershipLapsed'], 'stale-epoch', 'stale-epoch'),
        event(1, { sessionId: 'session-1', epoch: 1, origin: { environment: dev } }),
        current({ status: 'released', epoch: 2, revision: 2 }),
      );
  });

  test('commands.md#corner-7: without grace it is recorded as expired', () => {
    given(withoutGrace)
      .when(ask(10))
      .then(stopIgnoredAfter(['OwnershipLapsed', 'SessionExpired'], 'expired', 'session-ended'));
  });
});

describe('starting over a lease that is over', () => {
  test('commands.md#corner-7: supersede finds it lapsed, and supersedes what is left', () => {
    given(leased)
      .when(startSession(debug, { second: 10 }))
      .then(
        accepted('started', 'OwnershipLapsed', 'SessionSuperseded', 'SessionStarted'),
        event(1, { session: { sessionId: 'session-1', epoch: 3, endCause: 'superseded' } }),
        current({ sessionId: 'session-2', epoch: 3, owner: { environment: debug } }),
        ({ decision }) => expect(decision).not.toHaveProperty('events.1.session.expiresAt'),
      );
  });

  test('commands.md#corner-7: supersede under the epoch before the lapse is stale-epoch', () => {
    given(leased)
      .when(startSession(debug, { second: 10, expectedEpoch: 1 }))
      .then(refusedAfter(['OwnershipLapsed'], 'stale-epoch'));
    given(leased)
      .when(startSession(debug, { second: 10, expectedEpoch: 2 }))
      .then(accepted('started', 'OwnershipLapsed', 'SessionSuperseded', 'SessionStarted'));
  });

  test('commands.md#corner-7: reject is refused while the grace lasts, and starts when nothing is left', () => {
    given(leased)
      .when(startSession(debug, { second: 10, onConflict: 'reject' }))
      .then(refusedAfter(['OwnershipLapsed'], 'session-active'));
    given(withoutGrace)
      .when(startSession(debug, { second: 10, onConflict: 'reject' }))
      .then(
        accepted('started', 'OwnershipLapsed', 'SessionExpired', 'SessionStarted'),
        current({ epoch: 4 }),
      );
  });

  test('commands.md#corner-2: join of another is refused with until, while it is reserved for the old owner', () => {
    given(leased)
      .when(startSession(debug, { second: 10, onConflict: 'join' }))
      .then(refusedAfter(['OwnershipLapsed'], 'reserved', { until: at(15), retryAfter: 5 }));
    given(leased, settledAt(12))
      .when(startSession(debug, { second: 14, onConflict: 'join' }))
      .then(refused('reserved', { until: at(17), retryAfter: 3 }));
  });

  test('commands.md#corner-2: join of the old owner claims it under the next epoch, with its lease anew', () => {
    given(leased)
      .when(startSession(dev, { second: 10, onConflict: 'join' }))
      .then(
        accepted('claimed', 'OwnershipLapsed', 'OwnershipClaimed'),
        current({ sessionId: 'session-1', status: 'active', epoch: 3, owner: { environment: dev } }),
        ({ after }) => expect(after.timer).toMatchObject({ until: at(20), renewable: true }),
        ({ decision }) => expect(decision).not.toHaveProperty('session.expiresAt'),
      );
  });

  test('commands.md#corner-2: join of what has expired starts a new session', () => {
    given(leased, settledAt(10))
      .when(startSession(debug, { second: 15, onConflict: 'join' }))
      .then(accepted('started', 'SessionExpired', 'SessionStarted'), current({ sessionId: 'session-2' }));
  });
});

describe('a lease that is over', () => {
  test('commands.md#corner-8: releases the session, reserved for its old owner during the grace', () => {
    given(leased)
      .when(settleSession(12))
      .then(
        accepted('settled', 'OwnershipLapsed'),
        current({ status: 'released', epoch: 2, revision: 2, previousOwner: { environment: dev } }),
        current({ reservedFor: { environment: dev }, reservedUntil: at(17), expiresAt: at(17) }),
        ({ decision }) => expect(decision).not.toHaveProperty('session.owner'),
        ({ after }) => expect(after.timer).toMatchObject({ until: at(17), renewable: false }),
      );
  });

  test('commands.md#corner-8: with no grace expires in the same append', () => {
    given(withoutGrace)
      .when(settleSession(10))
      .then(
        accepted('settled', 'OwnershipLapsed', 'SessionExpired'),
        session({ status: 'ended', endCause: 'expired', epoch: 3, revision: 3, endedAt: at(10) }),
        current(undefined),
      );
  });

  test('commands.md#corner-8: that ends on a lapse expires at once, and still says who had it', () => {
    given(endsOnLapse)
      .when(settleSession(10))
      .then(
        accepted('settled', 'SessionExpired'),
        session({ status: 'ended', endCause: 'expired', epoch: 2, owner: { environment: dev } }),
        current(undefined),
      );
  });

  test('commands.md#corner-8: of a session that never became active expires, whatever its terms', () => {
    given(startedOn(dev, { phase: 'starting', ...lease() }))
      .when(settleSession(10))
      .then(accepted('settled', 'SessionExpired'), session({ endCause: 'expired' }), current(undefined));
    given(startedOn(dev, { phase: 'starting', ...lease() }))
      .when(activateSession({ by: dev, second: 10 }))
      .then(refusedAfter(['SessionExpired'], 'session-ended'));
  });

  test('commands.md#corner-8: is over at its end and not a moment before, and not when it was renewed', () => {
    given(leased)
      .when(settleSession(9.999))
      .then(accepted('settled'), current({ status: 'active' }));
    given(leased, renewedBy(dev, 9)).when(settleSession(18)).then(accepted('settled'));
    given(leased, renewedBy(dev, 9)).when(settleSession(19)).then(accepted('settled', 'OwnershipLapsed'));
  });

  test('commands.md#corner-8: settles once', () => {
    given(leased, settledAt(12))
      .when(settleSession(13))
      .then(accepted('settled'), current({ epoch: 2 }));
  });

  test('commands.md#corner-8: does not lapse for as long as nobody may say so, however long ago it was over', () => {
    given(leased)
      .when(renewLease({ by: dev, second: 11 }))
      .on({ due: false })
      .then(accepted('renewed'), current({ status: 'active', epoch: 1 }));
  });
});

describe('the grace after a lapse', () => {
  const lapsed = given(leased, settledAt(10)); // until 15

  test('commands.md#corner-8: its old owner claims it back, until the last moment', () => {
    lapsed
      .when(claimOwnership(dev, { second: 14.999 }))
      .then(
        accepted('claimed', 'OwnershipClaimed'),
        current({ status: 'active', epoch: 3, owner: { environment: dev } }),
        ({ after }) => expect(after.timer).toMatchObject({ until: at(24.999), renewable: true }),
      );
  });

  test('commands.md#corner-8: nobody else may claim it without force', () => {
    lapsed
      .when(claimOwnership(debug, { second: 13.4 }))
      .then(refused('reserved', { until: at(15), retryAfter: 2 })); // rounded up
    lapsed
      .when(claimOwnership(debug, { second: 14, ...forced }))
      .then(accepted('claimed', 'OwnershipClaimed'), event(0, { forced: true }));
  });

  test('commands.md#corner-8: once over, the session expires', () => {
    lapsed
      .when(settleSession(15))
      .then(
        accepted('settled', 'SessionExpired'),
        session({ sessionId: 'session-1', endCause: 'expired', epoch: 3, revision: 3 }),
        current(undefined),
        ({ after }) => expect(after.timer).toBeUndefined(),
      );
  });

  test('commands.md#corner-8: once over, a claim comes too late, also of its old owner', () => {
    lapsed.when(claimOwnership(dev, { second: 15 })).then(refusedAfter(['SessionExpired'], 'session-ended'));
    given(leased, settledAt(10), settledAt(15))
      .when(claimOwnership(dev, { second: 16, session: 1, epoch: 2 }))
      .then(refused('session-ended'));
  });

  test('commands.md#corner-6: its old owner may end it, because it is reserved for it', () => {
    lapsed.when(endSession({ origin: dev, second: 12 })).then(accepted('ended', 'SessionEnded'));
  });

  test('commands.md#corner-10: a release by the old owner is no repetition: it lost the session, it did not give it up', () => {
    lapsed.when(releaseOwnership({ by: dev, epoch: 1, second: 12 })).then(refused('stale-epoch'));
    lapsed
      .when(releaseOwnership({ by: dev, epoch: 1, to: debug, reservedSeconds: 60, second: 12 }))
      .then(refused('stale-epoch'));
    lapsed.when(releaseOwnership({ by: dev, epoch: 2, second: 12 })).then(refused('not-owner'));
  });

  test('commands.md#corner-5: a stop under the epoch before the lapse is stale-epoch', () => {
    lapsed
      .when(endSession({ origin: dev, epoch: 1, second: 12 }))
      .then(stopIgnoredAfter([], 'stale-epoch', 'stale-epoch'));
  });

  test('a touch does not bring it back', () => {
    given(startedOn(dev, lease({ renewOn: 'use' })), settledAt(10))
      .when(touchSession({ by: dev, second: 12 }))
      .then(accepted('unchanged'), current({ status: 'released' }));
  });
});

describe('an ending session whose time is over', () => {
  const draining = given(leased, drainedBy(dev, 30));

  test('commands.md#corner-8: has ended by the stop that drained it', () => {
    draining
      .when(settleSession(30))
      .then(
        accepted('settled', 'SessionEnded'),
        event(0, { origin: { environment: dev } }),
        session({ endCause: 'ended', endReason: 'done', endedBy: { environment: dev }, epoch: 2 }),
        current(undefined),
      );
  });

  test('commands.md#corner-8: lives as long as it drains, however long ago its lease was over', () => {
    draining.when(settleSession(29)).then(accepted('settled'), current({ status: 'ending', epoch: 1 }));
  });

  test('commands.md#corner-8: is over for who asks first', () => {
    draining
      .when(startSession(debug, { second: 30 }))
      .then(accepted('started', 'SessionEnded', 'SessionStarted'));
    draining
      .when(changeAttributes({ by: dev, second: 30 }))
      .then(refusedAfter(['SessionEnded'], 'session-ended'));
    draining
      .when(endSession({ origin: dev, second: 30 }))
      .then(accepted('already-ended', 'SessionEnded'), session({ endedAt: at(30) }));
  });
});

describe('a lease that another has', () => {
  test('commands.md#corner-7: is lost by a forced claim, and its old owner told so', () => {
    given(leased, claimedBy(debug, { ...forced, second: 5 }))
      .when(renewLease({ by: dev, second: 6, epoch: 1 }))
      .then(refused('stale-epoch'));
  });
});
