import {
  accepted,
  at,
  current,
  drainedBy,
  draining,
  endedBy,
  endSession,
  event,
  given,
  lease,
  refused,
  releasedBy,
  renewLease,
  session,
  settledAt,
  startedOn,
  startSession,
  stopIgnored,
  touchSession,
} from '../specification.js';

// Ends that take their time. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const forced = { force: true, operate: true };

describe('draining', () => {
  test.each([
    { state: 'active', phase: {} },
    { state: 'starting', phase: { phase: 'starting' as const } },
  ])(
    'commands.md#corner-4: a session that is $state is ending until a time, under the same epoch',
    ({ phase }) => {
      given(startedOn(dev, phase))
        .when(endSession({ origin: dev, drainSeconds: 30, reason: 'moving', second: 5 }))
        .then(
          accepted('ending', 'SessionEnding'),
          event(0, { origin: { environment: dev } }),
          current({ status: 'ending', epoch: 1, revision: 2, drainUntil: at(35), endReason: 'moving' }),
          current({ owner: { environment: dev }, endedBy: { environment: dev } }),
          ({ after }) => expect(after.timer).toMatchObject({ until: at(35), renewable: false }),
        );
    },
  );

  test('commands.md#corner-4: again changes nothing, neither its end', () => {
    given(startedOn(dev), draining)
      .when(endSession({ origin: dev, drainSeconds: 90, second: 10 }))
      .then(
        accepted('unchanged'),
        session({ status: 'ending', drainUntil: at(30), revision: 2 }),
        ({ after }) => expect(after.timer).toMatchObject({ until: at(30), renewable: false }),
      );
  });

  test('commands.md#corner-4: is confirmed by the same stop without it', () => {
    given(startedOn(dev), draining)
      .when(endSession({ origin: dev, second: 10, reason: 'drained' }))
      .then(
        accepted('ended', 'SessionEnded'),
        session({ status: 'ended', endCause: 'ended', epoch: 2, revision: 3, endedAt: at(10) }),
        session({ endReason: 'drained', endedBy: { environment: dev } }),
        current(undefined),
        ({ decision }) => expect(decision).not.toHaveProperty('session.drainUntil'),
        ({ after }) => expect(after.timer).toBeUndefined(),
      );
  });

  test('commands.md#corner-4: the confirmation again is already-ended, also when the time ended it', () => {
    given(startedOn(dev), draining, endedBy(dev))
      .when(endSession({ origin: dev, epoch: 1 }))
      .then(accepted('already-ended'));
    given(startedOn(dev), draining, settledAt(30))
      .when(endSession({ origin: dev, second: 31 }))
      .then(accepted('already-ended'), session({ endedAt: at(30) }));
    given(startedOn(dev), draining, settledAt(30))
      .when(endSession({ origin: dev, drainSeconds: 30, second: 31 }))
      .then(accepted('already-ended'));
  });

  test('commands.md#corner-4: by an operator with force says so, and its owner confirms it', () => {
    given(startedOn(dev))
      .when(endSession({ origin: debug, drainSeconds: 30, ...forced }))
      .then(accepted('ending', 'SessionEnding'), event(0, { forced: true, origin: { environment: debug } }));
    given(startedOn(dev), endSession({ origin: debug, drainSeconds: 30, ...forced }))
      .when(endSession({ origin: dev }))
      .then(accepted('ended', 'SessionEnded'), session({ endedBy: { environment: dev } }));
  });

  test('commands.md#corner-5: by another owner is not-owner, and recorded', () => {
    given(startedOn(dev))
      .when(endSession({ origin: debug, drainSeconds: 30 }))
      .then(stopIgnored('not-owner', 'not-owner'));
    given(startedOn(dev), draining)
      .when(endSession({ origin: debug }))
      .then(stopIgnored('not-owner', 'not-owner'));
  });

  test('commands.md#corner-6: a released session has nobody to wait for, and ends at once', () => {
    given(startedOn(dev), releasedBy(dev, debug, 30))
      .when(endSession({ origin: debug, drainSeconds: 30 }))
      .then(accepted('ended', 'SessionEnded'), current(undefined));
  });
});

describe('a session that is ending', () => {
  const ending = given(startedOn(dev, lease()), drainedBy(dev, 30));

  test('commands.md#corner-1: is superseded, and it was not the stop that ended it', () => {
    ending.when(startSession(debug, { second: 5 })).then(
      accepted('started', 'SessionSuperseded', 'SessionStarted'),
      event(0, { session: { status: 'ended', endCause: 'superseded', epoch: 2 } }),
      ({ decision }) => expect(decision).not.toHaveProperty('events.0.session.endedBy'),
      ({ decision }) => expect(decision).not.toHaveProperty('events.0.session.endReason'),
      ({ decision }) => expect(decision).not.toHaveProperty('events.0.session.drainUntil'),
      ({ after }) => expect(after.timer).toBeUndefined(),
    );
  });

  test('commands.md#corner-5: and superseded, its confirmation is stale-session, and recorded', () => {
    given(startedOn(dev), draining, startedOn(debug))
      .when(endSession({ origin: dev }))
      .then(stopIgnored('superseded'), current({ sessionId: 'session-2', epoch: 2 }));
  });

  test('is neither renewed nor kept alive by use', () => {
    ending.when(renewLease({ by: dev, second: 5 })).then(refused('session-ending', { retryAfter: 25 }));
    ending.when(renewLease({ by: dev, second: 5.1 })).then(refused('session-ending', { retryAfter: 25 }));
    given(startedOn(dev, lease({ renewOn: 'use' })), draining)
      .when(touchSession({ by: dev, second: 5 }))
      .then(accepted('unchanged'), ({ after }) => expect(after.timer?.until).toBe(at(30)));
  });
});
