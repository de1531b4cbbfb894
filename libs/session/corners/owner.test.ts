import {
  accepted,
  at,
  besides,
  claimedBy,
  claimOwnership,
  current,
  draining,
  event,
  given,
  handle,
  refused,
  releasedBy,
  releaseOwnership,
  rotatedBy,
  rotateSession,
  session,
  startedOn,
  supersededBy,
} from '../specification.js';

// Claims, releases and rotations. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const other = 'cloud-other';

describe('claiming', () => {
  test('commands.md#corner-9: a released session makes it active under the next epoch', () => {
    given(startedOn(dev), releasedBy(dev))
      .when(claimOwnership(debug))
      .then(
        accepted('claimed', 'OwnershipClaimed'),
        current({ sessionId: 'session-1', status: 'active', epoch: 3, revision: 3, principal: debug }),
        current({ owner: { environment: debug } }),
      );
  });

  test('commands.md#corner-9: one that is reserved for another is refused with until, to the second', () => {
    const reserved = given(startedOn(dev), releasedBy(dev, debug, 30));
    reserved.when(claimOwnership(other, { second: 29 })).then(refused('reserved', { until: at(30) }));
    reserved.when(claimOwnership(dev)).then(refused('reserved', { until: at(30) }));
    reserved.when(claimOwnership(other, { second: 30 })).then(accepted('claimed', 'OwnershipClaimed'));
  });

  test('commands.md#corner-9: one that is reserved for the claimer ends the reservation', () => {
    given(startedOn(dev), releasedBy(dev, debug, 30))
      .when(claimOwnership(debug))
      .then(
        accepted('claimed', 'OwnershipClaimed'),
        current({ owner: { environment: debug } }),
        ({ decision }) => expect(decision).not.toHaveProperty('session.reservedFor'),
        ({ decision }) => expect(decision).not.toHaveProperty('session.reservedUntil'),
      );
  });

  test('commands.md#corner-9: one that is reserved for one instance is refused to another', () => {
    given(startedOn(dev), releasedBy(dev, { environment: debug, instance: 'a' }, 30))
      .when(claimOwnership({ environment: debug, instance: 'b' }))
      .then(refused('reserved', { until: at(30) }));
  });

  test('commands.md#corner-9: what is its own already changes nothing', () => {
    given(startedOn(dev))
      .when(claimOwnership(dev))
      .then(accepted('unchanged'), session({ epoch: 1 }));
    given(startedOn(dev))
      .when(claimOwnership(dev, { force: true, operate: true }))
      .then(accepted('unchanged'));
  });

  test("commands.md#corner-9: a live owner's is refused, in the name of the owner by another principal too", () => {
    given(startedOn(dev)).when(claimOwnership(debug)).then(refused('not-owner'));
    given(startedOn(dev))
      .when(claimOwnership(dev, { principal: debug }))
      .then(refused('not-owner'));
    given(startedOn(dev))
      .when(claimOwnership(debug, { operate: true }))
      .then(refused('not-owner'));
  });

  test.each([
    { what: "a live owner's", steps: [startedOn(dev)], epoch: 2, status: 'active' as const },
    {
      what: 'a starting one',
      steps: [startedOn(dev, { phase: 'starting' as const })],
      epoch: 2,
      status: 'starting' as const,
    },
    {
      what: 'one that is reserved for another',
      steps: [startedOn(dev), releasedBy(dev, debug, 30)],
      epoch: 3,
      status: 'active' as const,
    },
  ])('commands.md#corner-9: $what is claimed with force and operate', ({ steps, epoch, status }) => {
    given(...steps)
      .when(claimOwnership(other, { force: true, operate: true }))
      .then(
        accepted('claimed', 'OwnershipClaimed'),
        event(0, { forced: true }),
        current({ owner: { environment: other }, principal: other, epoch, status }),
      );
  });

  test('commands.md#corner-9: with force but without operate is refused', () => {
    given(startedOn(dev))
      .when(claimOwnership(debug, { force: true }))
      .then(refused('operate-required'));
  });

  test('commands.md#corner-9: one that is ending is refused', () => {
    given(startedOn(dev), draining).when(claimOwnership(debug)).then(refused('session-ending'));
  });

  test('commands.md#corner-9: under the epoch before another claim is stale-epoch, also by the one who has it now', () => {
    const claimed = given(startedOn(dev), releasedBy(dev), claimedBy(debug));
    claimed.when(claimOwnership(other, { epoch: 2 })).then(refused('stale-epoch'));
    claimed.when(claimOwnership(debug, { epoch: 2 })).then(refused('stale-epoch'));
  });
});

describe('releasing', () => {
  test.each([
    { state: 'active', steps: [startedOn(dev)] },
    { state: 'starting', steps: [startedOn(dev, { phase: 'starting' as const })] },
  ])('commands.md#corner-10: a session that is $state leaves it current without owner', ({ steps }) => {
    given(...steps)
      .when(releaseOwnership({ by: dev }))
      .then(
        accepted('released', 'OwnershipReleased'),
        current({ sessionId: 'session-1', status: 'released', epoch: 2, revision: 2 }),
        current({ previousOwner: { environment: dev } }),
        ({ decision }) => expect(decision).not.toHaveProperty('session.owner'),
        ({ decision }) => expect(decision).not.toHaveProperty('session.reservedFor'),
      );
  });

  test('commands.md#corner-10: to another reserves it for so many seconds', () => {
    given(startedOn(dev))
      .when(releaseOwnership({ by: dev, to: debug, reservedSeconds: 30, second: 5 }))
      .then(
        accepted('released', 'OwnershipReleased'),
        current({ reservedFor: { environment: debug }, reservedUntil: at(35) }),
      );
  });

  test('commands.md#corner-10: reserves nothing without both, for whom and for how long', () => {
    for (const half of [{ to: debug }, { reservedSeconds: 30 }]) {
      given(startedOn(dev))
        .when(releaseOwnership({ by: dev, ...half }))
        .then(
          accepted('released', 'OwnershipReleased'),
          ({ decision }) => expect(decision).not.toHaveProperty('session.reservedFor'),
          ({ decision }) => expect(decision).not.toHaveProperty('session.reservedUntil'),
        );
    }
  });

  test('commands.md#corner-10: again by the caller changes nothing, under its own epoch or the one that it made', () => {
    const released = given(startedOn(dev), releasedBy(dev));
    released.when(releaseOwnership({ by: dev })).then(accepted('unchanged'), session({ epoch: 2 }));
    released.when(releaseOwnership({ by: dev, epoch: 2 })).then(accepted('unchanged'));
    released.when(releaseOwnership({ by: dev, owner: dev })).then(accepted('unchanged'));
  });

  test('commands.md#corner-10: again by somebody else is refused', () => {
    const released = given(startedOn(dev), releasedBy(dev));
    released.when(releaseOwnership({ by: debug, epoch: 1 })).then(refused('stale-epoch'));
    released.when(releaseOwnership({ by: debug, epoch: 2 })).then(refused('not-owner'));
    released.when(releaseOwnership({ by: dev, owner: debug, epoch: 2 })).then(refused('not-owner'));
  });

  test('commands.md#corner-10: again after another has claimed it is stale-epoch, also when that one released it', () => {
    given(startedOn(dev), releasedBy(dev), claimedBy(debug))
      .when(releaseOwnership({ by: dev, epoch: 1 }))
      .then(refused('stale-epoch'));
    given(startedOn(dev), releasedBy(dev), claimedBy(debug), releasedBy(debug))
      .when(releaseOwnership({ by: dev, epoch: 1 }))
      .then(refused('stale-epoch'));
  });

  test('commands.md#corner-10: again under an epoch from before the last release is stale-epoch', () => {
    given(startedOn(dev), releasedBy(dev), claimedBy(dev), releasedBy(dev))
      .when(releaseOwnership({ by: dev, epoch: 1 }))
      .then(refused('stale-epoch'));
  });

  test('commands.md#corner-10: of an older session is stale-session, also when the current one was released by the same', () => {
    const released = given(startedOn(dev), startedOn(dev), releasedBy(dev));
    released.when(releaseOwnership({ by: dev, session: 1, epoch: 2 })).then(refused('stale-session'));
    released.when(releaseOwnership({ by: dev, session: 1, epoch: 3 })).then(refused('stale-session'));
  });

  test('commands.md#corner-10: one that is ending is refused', () => {
    given(startedOn(dev), draining)
      .when(releaseOwnership({ by: dev }))
      .then(refused('session-ending'));
  });

  test.each([
    { who: 'another principal', ask: { by: debug, epoch: 1 } },
    { who: 'its principal in the name of another owner', ask: { by: dev, owner: debug } },
  ])('commands.md#corner-10: by $who is not-owner', ({ ask }) => {
    given(startedOn(dev)).when(releaseOwnership(ask)).then(refused('not-owner'));
  });

  test('commands.md#corner-10: by a principal with operate is as by the owner', () => {
    given(startedOn(dev))
      .when(releaseOwnership({ by: other, operate: true }))
      .then(accepted('released', 'OwnershipReleased'));
  });
});

describe('rotating', () => {
  const started = startedOn(dev, { attributesDigest: 'digest' });

  test('commands.md#corner-11: gives the successor what the old one had, under the next epoch', () => {
    given(started)
      .when(
        rotateSession({
          by: dev,
          reason: 'compact',
          versionId: 'v7',
          successorHandle: handle('h'),
          second: 9,
        }),
      )
      .then(
        accepted('rotated', 'SessionRotated'),
        event(0, { previous: { sessionId: 'session-1', status: 'ended', endCause: 'rotated', epoch: 2 } }),
        event(0, { previous: { successorId: 'session-2', successorHandle: 'h', endedAt: at(9) } }),
        current({ sessionId: 'session-2', status: 'active', epoch: 2, revision: 2, chainLength: 2 }),
        current({ parentId: 'session-1', rootId: 'session-1', reason: 'compact', versionId: 'v7' }),
        current({ owner: { environment: dev }, principal: dev, attributesDigest: 'digest' }),
        current({ startedAt: at(9) }),
      );
  });

  test('commands.md#corner-11: the version stays with the session that was made for it', () => {
    given(started, rotatedBy(dev, { versionId: 'v7' }))
      .when(rotateSession({ by: dev }))
      .then(accepted('rotated', 'SessionRotated'), ({ decision }) => {
        expect(decision).toMatchObject({ session: { chainLength: 3, rootId: 'session-1' } });
        expect(decision).not.toHaveProperty('session.versionId');
        expect(decision).toHaveProperty('events.0.previous.versionId', 'v7');
      });
  });

  test('commands.md#corner-11: the old session for the same successor handle answers the recorded successor', () => {
    given(started, rotatedBy(dev, { successorHandle: handle('h') }))
      .when(rotateSession({ by: dev, session: 1, successorHandle: handle('h') }))
      .then(accepted('already-rotated'), session({ sessionId: 'session-2' }), besides({ epoch: 2 }));
  });

  test('commands.md#corner-11: and the current one, when it is another by now', () => {
    given(started, rotatedBy(dev, { successorHandle: handle('h') }), supersededBy(debug))
      .when(rotateSession({ by: dev, session: 1, successorHandle: handle('h') }))
      .then(
        accepted('already-rotated'),
        session({ sessionId: 'session-2', status: 'ended', endCause: 'superseded' }),
        besides({ sessionId: 'session-3' }),
      );
  });

  test('commands.md#corner-11: the old session for another successor is stale-session with the winner', () => {
    const rotated = given(started, rotatedBy(dev, { successorHandle: handle('h') }));
    rotated
      .when(rotateSession({ by: dev, session: 1, successorHandle: handle('i') }))
      .then(refused('stale-session'));
    rotated.when(rotateSession({ by: dev, session: 1 })).then(refused('stale-session'));
    given(started, rotatedBy(dev))
      .when(rotateSession({ by: dev, session: 1 }))
      .then(refused('stale-session'));
  });

  test('commands.md#corner-11: a superseded session is stale-session, whatever the successor handle', () => {
    given(started, supersededBy(debug))
      .when(rotateSession({ by: dev, session: 1, successorHandle: handle('h') }))
      .then(refused('stale-session'));
  });

  test.each([
    {
      state: 'starting',
      steps: [startedOn(dev, { phase: 'starting' as const })],
      epoch: 1,
      code: 'session-not-active',
    },
    { state: 'released', steps: [startedOn(dev), releasedBy(dev)], epoch: 2, code: 'session-not-active' },
    { state: 'ending', steps: [startedOn(dev), draining], epoch: 1, code: 'session-ending' },
  ] as const)('commands.md#corner-11: one that is $state is $code', ({ steps, epoch, code }) => {
    given(...steps)
      .when(rotateSession({ by: dev, epoch }))
      .then(refused(code));
  });

  test.each([
    { who: 'another principal', ask: { by: debug, epoch: 1 } },
    { who: 'its principal in the name of another owner', ask: { by: dev, owner: debug } },
  ])('commands.md#corner-11: by $who is not-owner', ({ ask }) => {
    given(startedOn(dev)).when(rotateSession(ask)).then(refused('not-owner'));
  });

  test('commands.md#corner-11: under the epoch before a claim is stale-epoch', () => {
    given(startedOn(dev), releasedBy(dev), claimedBy(debug))
      .when(rotateSession({ by: dev, epoch: 1 }))
      .then(refused('stale-epoch'));
  });
});
