import {
  accepted,
  at,
  besides,
  claimedBy,
  current,
  draining,
  endedBy,
  endSession,
  event,
  given,
  refused,
  releasedBy,
  rotatedBy,
  session,
  startedOn,
  stopIgnored,
  stopIgnoredAgain,
  supersededBy,
} from '../specification.js';

// Stops. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const other = 'cloud-other';
const forced = { force: true, operate: true };

describe('ending a session', () => {
  test('commands.md#corner-4: by its owner under its epoch ends it', () => {
    given(startedOn(dev))
      .when(endSession({ origin: dev, reason: 'user left', second: 9 }))
      .then(
        accepted('ended', 'SessionEnded'),
        event(0, { origin: { environment: dev } }),
        session({ sessionId: 'session-1', status: 'ended', endCause: 'ended', epoch: 2, revision: 2 }),
        session({ endedAt: at(9), endReason: 'user left', endedBy: { environment: dev } }),
        current(undefined),
      );
  });

  test.each([
    { state: 'starting', steps: [startedOn(dev, { phase: 'starting' as const })] },
    { state: 'ending', steps: [startedOn(dev), draining] },
  ])('commands.md#corner-4: also while it is $state', ({ steps }) => {
    given(...steps)
      .when(endSession({ origin: dev }))
      .then(accepted('ended', 'SessionEnded'));
  });

  test('commands.md#corner-4: by any instance, when the owner has not said which', () => {
    given(startedOn(dev))
      .when(endSession({ origin: { environment: dev, instance: 'a' } }))
      .then(accepted('ended', 'SessionEnded'));
  });

  test('commands.md#corner-4: again by the same is already-ended, however late', () => {
    given(startedOn(dev), endedBy(dev))
      .when(endSession({ origin: dev, second: 90, reason: 'once more' }))
      .then(accepted('already-ended'), session({ sessionId: 'session-1', endReason: 'done' }));
    given(startedOn(dev), endedBy(dev), startedOn(debug))
      .when(endSession({ origin: dev }))
      .then(
        accepted('already-ended'),
        session({ sessionId: 'session-1' }),
        besides({ sessionId: 'session-2' }),
      );
  });

  test.each([
    { who: 'another environment', stop: { origin: debug } },
    { who: 'another instance', stop: { origin: { environment: dev, instance: 'a' } } },
    { who: 'the same under another epoch', stop: { origin: dev, epoch: 2 } },
  ])('commands.md#corner-4: again by $who is session-ended, and recorded', ({ stop }) => {
    given(startedOn(dev), endedBy(dev)).when(endSession(stop)).then(stopIgnored('ended', 'session-ended'));
  });

  test('commands.md#corner-4: of another owner needs force with operate', () => {
    given(startedOn(dev))
      .when(endSession({ origin: other, ...forced }))
      .then(accepted('ended', 'SessionEnded'), event(0, { forced: true }), current(undefined));
    given(startedOn(dev))
      .when(endSession({ origin: other, force: true }))
      .then(refused('operate-required'));
    given(startedOn(dev))
      .when(endSession({ origin: other, operate: true }))
      .then(stopIgnored('not-owner', 'not-owner'));
  });

  test('commands.md#corner-4: by a principal with operate in the name of the owner is as by the owner', () => {
    given(startedOn(dev))
      .when(endSession({ origin: dev, principal: other, operate: true }))
      .then(accepted('ended', 'SessionEnded'), ({ decision }) =>
        expect(decision.events[0]).not.toHaveProperty('forced'),
      );
  });
});

describe('a stop that is not obeyed', () => {
  test('commands.md#corner-5: of a superseded session is stale-session, and recorded', () => {
    given(startedOn(dev), supersededBy(debug))
      .when(endSession({ origin: dev }))
      .then(
        stopIgnored('superseded'),
        event(0, { sessionId: 'session-1', origin: { environment: dev }, epoch: 1 }),
        current({ sessionId: 'session-2', owner: { environment: debug }, epoch: 2, revision: 3 }),
      );
  });

  test('commands.md#corner-5: of a rotated session is stale-session, and recorded', () => {
    given(startedOn(dev), rotatedBy(dev))
      .when(endSession({ origin: dev, session: 1 }))
      .then(stopIgnored('rotated'));
  });

  test('commands.md#corner-5: by another owner is not-owner, and recorded', () => {
    given(startedOn(dev))
      .when(endSession({ origin: debug }))
      .then(stopIgnored('not-owner', 'not-owner'));
  });

  test('commands.md#corner-5: by another principal in the name of the owner is not-owner, and recorded', () => {
    given(startedOn(dev))
      .when(endSession({ origin: dev, principal: debug }))
      .then(stopIgnored('not-owner', 'not-owner'));
  });

  test.each([
    { who: 'another instance', origin: { environment: dev, instance: 'b' } },
    { who: 'one that does not say which instance it is', origin: dev },
  ])('commands.md#corner-5: by $who than the owning one is not-owner, and recorded', ({ origin }) => {
    given(startedOn({ environment: dev, instance: 'a' }))
      .when(endSession({ origin }))
      .then(stopIgnored('not-owner', 'not-owner'));
  });

  test('commands.md#corner-5: under an old epoch is stale-epoch, and recorded', () => {
    given(startedOn(dev), releasedBy(dev), claimedBy(debug))
      .when(endSession({ origin: dev }))
      .then(stopIgnored('stale-epoch', 'stale-epoch'), event(0, { epoch: 1 }));
    given(startedOn(dev), releasedBy(dev), claimedBy(dev))
      .when(endSession({ origin: dev, epoch: 2 }))
      .then(stopIgnored('stale-epoch', 'stale-epoch'));
  });

  test('commands.md#corner-5: is not obeyed with force and operate either', () => {
    given(startedOn(dev), supersededBy(debug))
      .when(endSession({ origin: dev, ...forced }))
      .then(stopIgnored('superseded'));
    given(startedOn(dev), releasedBy(dev), claimedBy(debug))
      .when(endSession({ origin: dev, ...forced }))
      .then(stopIgnored('stale-epoch', 'stale-epoch'));
  });

  test('commands.md#corner-5: is recorded once', () => {
    given(startedOn(dev), supersededBy(debug), endedBy(dev))
      .when(endSession({ origin: dev, second: 90 }))
      .then(stopIgnoredAgain('superseded'));
    given(startedOn(dev), endedBy(debug))
      .when(endSession({ origin: debug }))
      .then(stopIgnoredAgain('not-owner', 'not-owner'));
  });

  test.each([
    { what: 'origin', stop: { origin: other, session: 1 } },
    { what: 'instance', stop: { origin: { environment: dev, instance: 'b' }, session: 1 } },
    { what: 'epoch', stop: { origin: dev, session: 1, epoch: 2 } },
    { what: 'session', stop: { origin: dev, session: 2, epoch: 1 } },
  ])('commands.md#corner-5: is recorded again from another $what', ({ stop }) => {
    given(startedOn(dev), supersededBy(debug), endedBy(dev), supersededBy(other))
      .when(endSession(stop))
      .then(stopIgnored('superseded'));
  });

  test('commands.md#corner-5: is recorded again for another why', () => {
    given(startedOn(dev), endedBy(debug), supersededBy(other))
      .when(endSession({ origin: debug, session: 1 }))
      .then(stopIgnored('superseded'));
  });
});

describe('ending a released session', () => {
  const reserved = given(startedOn(dev), releasedBy(dev, debug, 30));
  const free = given(startedOn(dev), releasedBy(dev));

  test('commands.md#corner-6: is for the one that it is reserved for, also when the time is over', () => {
    reserved.when(endSession({ origin: debug })).then(accepted('ended', 'SessionEnded'), current(undefined));
    reserved.when(endSession({ origin: debug, second: 60 })).then(accepted('ended', 'SessionEnded'));
  });

  test('commands.md#corner-6: is for nobody else without force', () => {
    reserved.when(endSession({ origin: other, epoch: 2 })).then(stopIgnored('not-owner', 'not-owner'));
    reserved.when(endSession({ origin: dev, epoch: 2 })).then(stopIgnored('not-owner', 'not-owner'));
    reserved
      .when(endSession({ origin: other, epoch: 2, operate: true }))
      .then(stopIgnored('not-owner', 'not-owner'));
    free.when(endSession({ origin: dev, epoch: 2 })).then(stopIgnored('not-owner', 'not-owner'));
  });

  test('commands.md#corner-6: by its last owner under the epoch of then is stale-epoch', () => {
    reserved.when(endSession({ origin: dev })).then(stopIgnored('stale-epoch', 'stale-epoch'));
  });

  test('commands.md#corner-6: with force needs operate', () => {
    for (const released of [reserved, free]) {
      released
        .when(endSession({ origin: other, epoch: 2, ...forced }))
        .then(accepted('ended', 'SessionEnded'), event(0, { forced: true }), current(undefined));
      released.when(endSession({ origin: other, epoch: 2, force: true })).then(refused('operate-required'));
    }
  });
});
