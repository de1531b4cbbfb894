import {
  accepted,
  activatedBy,
  activateSession,
  at,
  current,
  draining,
  endedBy,
  event,
  given,
  refused,
  releasedBy,
  session,
  startedOn,
  startSession,
} from '../specification.js';

// Starts. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const other = 'cloud-other';

describe('starting a session', () => {
  test('commands.md#corner-1: in an empty scope starts the first one', () => {
    given()
      .when(startSession(dev))
      .then(
        accepted('started', 'SessionStarted'),
        session({ sessionId: 'session-1', status: 'active', epoch: 1, revision: 1, chainLength: 1 }),
        session({ rootId: 'session-1', owner: { environment: dev }, principal: dev, startedAt: at(0) }),
      );
  });

  test('commands.md#corner-1: may leave it starting until its owner confirms', () => {
    given()
      .when(startSession(dev, { phase: 'starting' }))
      .then(accepted('started', 'SessionStarted'), session({ status: 'starting', epoch: 1 }));
  });

  test('commands.md#corner-1: supersedes the old one and starts the new one in one append', () => {
    given(startedOn(dev))
      .when(startSession(debug, { second: 5, attributesDigest: 'digest' }))
      .then(
        accepted('started', 'SessionSuperseded', 'SessionStarted'),
        event(0, { by: { environment: debug } }),
        event(0, { session: { sessionId: 'session-1', status: 'ended', endCause: 'superseded', epoch: 2 } }),
        event(0, { session: { successorId: 'session-2', endedAt: at(5), revision: 2 } }),
        current({ sessionId: 'session-2', status: 'active', epoch: 2, revision: 3, rootId: 'session-2' }),
        current({ owner: { environment: debug }, principal: debug, attributesDigest: 'digest' }),
      );
  });

  test.each([
    { state: 'starting', steps: [startedOn(dev, { phase: 'starting' as const })], epoch: 2 },
    { state: 'released', steps: [startedOn(dev), releasedBy(dev)], epoch: 3 },
    { state: 'reserved for another', steps: [startedOn(dev), releasedBy(dev, other, 30)], epoch: 3 },
    { state: 'ending', steps: [startedOn(dev), draining], epoch: 2 },
  ])('commands.md#corner-1: supersedes one that is $state', ({ steps, epoch }) => {
    given(...steps)
      .when(startSession(debug))
      .then(accepted('started', 'SessionSuperseded', 'SessionStarted'), current({ epoch, status: 'active' }));
  });

  test('commands.md#corner-1: what is superseded is no longer reserved', () => {
    given(startedOn(dev), releasedBy(dev, other, 30))
      .when(startSession(debug))
      .then(({ decision }) => {
        expect(decision).not.toHaveProperty('events.0.session.reservedFor');
        expect(decision).not.toHaveProperty('events.0.session.reservedUntil');
      });
  });

  test('commands.md#corner-1: after the last one has ended goes on with its epoch and revision', () => {
    given(startedOn(dev), endedBy(dev))
      .when(startSession(debug))
      .then(accepted('started', 'SessionStarted'), current({ epoch: 3, revision: 3 }));
  });

  test('commands.md#corner-1: starts under the epoch that was expected', () => {
    given()
      .when(startSession(dev, { expectedEpoch: 0 }))
      .then(accepted('started', 'SessionStarted'));
    given(startedOn(dev))
      .when(startSession(debug, { expectedEpoch: 1 }))
      .then(accepted('started', 'SessionSuperseded', 'SessionStarted'));
  });

  test.each(['supersede', 'reject', 'join'] as const)(
    'commands.md#corner-1: %s under an older epoch than expected is stale-epoch, also when nothing is current',
    (onConflict) => {
      given(startedOn(dev))
        .when(startSession(debug, { onConflict, expectedEpoch: 0 }))
        .then(refused('stale-epoch'));
      given(startedOn(dev), endedBy(dev))
        .when(startSession(debug, { onConflict, expectedEpoch: 1 }))
        .then(refused('stale-epoch'));
    },
  );
});

describe('confirming a start', () => {
  const starting = given(startedOn(dev, { phase: 'starting' }));

  test('makes it active under the same epoch', () => {
    starting
      .when(activateSession({ by: dev }))
      .then(accepted('activated', 'SessionActivated'), current({ status: 'active', epoch: 1, revision: 2 }));
  });

  test('again changes nothing', () => {
    given(startedOn(dev, { phase: 'starting' }), activatedBy(dev))
      .when(activateSession({ by: dev }))
      .then(accepted('unchanged'), session({ status: 'active' }));
  });

  test('is for its owner only', () => {
    starting.when(activateSession({ by: debug, epoch: 1 })).then(refused('not-owner'));
    starting.when(activateSession({ by: dev, owner: debug })).then(refused('not-owner'));
    starting
      .when(activateSession({ by: debug, epoch: 1, operate: true }))
      .then(accepted('activated', 'SessionActivated'));
    given(startedOn(dev), releasedBy(dev))
      .when(activateSession({ by: dev, epoch: 2 }))
      .then(refused('not-owner'));
  });

  test('comes too late when it is ending', () => {
    given(startedOn(dev), draining)
      .when(activateSession({ by: dev }))
      .then(refused('session-ending'));
  });
});

describe('joining', () => {
  const join = { onConflict: 'join' } as const;

  test('commands.md#corner-2: nothing starts a session, also after one that has ended', () => {
    given().when(startSession(dev, join)).then(accepted('started', 'SessionStarted'));
    given(startedOn(dev), endedBy(dev))
      .when(startSession(dev, join))
      .then(accepted('started', 'SessionStarted'), current({ sessionId: 'session-2' }));
  });

  test.each([
    { state: 'active', phase: {} },
    { state: 'starting', phase: { phase: 'starting' as const } },
  ])('commands.md#corner-2: an owned session that is $state leaves its owner unchanged', ({ phase }) => {
    given(startedOn(dev, phase))
      .when(startSession(debug, join))
      .then(accepted('joined'), session({ sessionId: 'session-1', epoch: 1, owner: { environment: dev } }));
  });

  test('commands.md#corner-2: a released one claims it', () => {
    given(startedOn(dev), releasedBy(dev))
      .when(startSession(debug, join))
      .then(
        accepted('claimed', 'OwnershipClaimed'),
        current({ sessionId: 'session-1', status: 'active', epoch: 3, revision: 3, principal: debug }),
        current({ owner: { environment: debug } }),
      );
  });

  test('commands.md#corner-2: one that is reserved for another is refused with until, to the second', () => {
    const reserved = given(startedOn(dev), releasedBy(dev, debug, 30));
    reserved.when(startSession(other, { ...join, second: 29 })).then(refused('reserved', { until: at(30) }));
    reserved
      .when(startSession(other, { ...join, second: 30 }))
      .then(accepted('claimed', 'OwnershipClaimed'), current({ owner: { environment: other } }));
  });

  test('commands.md#corner-2: one that is reserved for the joiner claims it', () => {
    given(startedOn(dev), releasedBy(dev, debug, 30))
      .when(startSession(debug, join))
      .then(accepted('claimed', 'OwnershipClaimed'), current({ owner: { environment: debug } }));
  });

  test('commands.md#corner-2: one that is ending is refused', () => {
    given(startedOn(dev), draining).when(startSession(debug, join)).then(refused('session-ending'));
  });
});

describe('starting only if nothing is current', () => {
  const reject = { onConflict: 'reject' } as const;

  test.each([
    { state: 'active', steps: [startedOn(dev)] },
    { state: 'starting', steps: [startedOn(dev, { phase: 'starting' as const })] },
    { state: 'released', steps: [startedOn(dev), releasedBy(dev)] },
    { state: 'ending', steps: [startedOn(dev), draining] },
  ])('commands.md#corner-3: is refused with the current session when it is $state', ({ steps }) => {
    given(...steps)
      .when(startSession(debug, reject))
      .then(refused('session-active'));
  });

  test('commands.md#corner-3: starts otherwise', () => {
    given(startedOn(dev), endedBy(dev))
      .when(startSession(debug, reject))
      .then(accepted('started', 'SessionStarted'));
  });
});
