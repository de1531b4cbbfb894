import {
  accepted,
  changeAttributes,
  claimedBy,
  claimOwnership,
  current,
  draining,
  endedBy,
  endSession,
  erasedAt,
  eraseScope,
  event,
  given,
  lease,
  refused,
  releasedBy,
  releaseOwnership,
  rotatedBy,
  session,
  settledAt,
  startedOn,
  supersededBy,
  toScope,
  toSession,
} from '../specification.js';

// What operators do: forcing, and erasure. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const operator = 'operator';
const forced = { force: true, operate: true, principal: operator };

describe('forcing', () => {
  test.each([
    { what: 'an active session', steps: [startedOn(dev)] },
    { what: 'a starting session', steps: [startedOn(dev, { phase: 'starting' })] },
    { what: 'a leased session', steps: [startedOn(dev, lease())] },
  ])('commands.md#corner-10: releases $what, whoever owns it, and says who did it', ({ steps }) => {
    given(...steps)
      .when(releaseOwnership({ by: debug, owner: { environment: debug }, ...forced }))
      .then(
        accepted('released', 'OwnershipReleased'),
        event(0, { forced: true, operator }),
        current({ status: 'released', epoch: 2, revision: 2, previousOwner: { environment: dev } }),
      );
  });

  test('commands.md#corner-10: a release without operate is refused', () => {
    given(startedOn(dev))
      .when(releaseOwnership({ by: dev, force: true }))
      .then(refused('operate-required'));
  });

  test('commands.md#corner-10: a release by the owner itself does not say that it was forced', () => {
    given(startedOn(dev))
      .when(releaseOwnership({ by: dev }))
      .then(accepted('released', 'OwnershipReleased'), ({ decision }) => {
        expect(decision.events[0]).not.toHaveProperty('forced');
        expect(decision.events[0]).not.toHaveProperty('operator');
      });
  });

  test('commands.md#corner-10: a release of what is released already changes nothing, whoever it is reserved for', () => {
    given(startedOn(dev), releasedBy(dev, debug, 30))
      .when(releaseOwnership({ by: dev, epoch: 2, ...forced }))
      .then(accepted('unchanged'), current({ reservedFor: { environment: debug } }));
    given(startedOn(dev, lease()), settledAt(10))
      .when(releaseOwnership({ by: dev, epoch: 2, second: 11, ...forced }))
      .then(accepted('unchanged'), current({ reservedFor: { environment: dev } }));
  });

  test('commands.md#corner-10: the same forced release again is unchanged, also when it named another owner', () => {
    const again = { by: debug, owner: { environment: debug }, ...forced };
    const released = given(startedOn(dev), releaseOwnership(again));
    released.when(releaseOwnership({ ...again, epoch: 1 })).then(accepted('unchanged'));
    released.when(releaseOwnership({ ...again, epoch: 2 })).then(accepted('unchanged'));
  });

  test('commands.md#corner-10: a release of an ending session is refused', () => {
    given(startedOn(dev), draining)
      .when(releaseOwnership({ by: dev, ...forced }))
      .then(refused('session-ending'));
  });

  test('commands.md#corner-10: a release under an old epoch or for an old session is refused', () => {
    given(startedOn(dev), releasedBy(dev), claimedBy(debug))
      .when(releaseOwnership({ by: dev, epoch: 1, ...forced }))
      .then(refused('stale-epoch'));
    given(startedOn(dev), supersededBy(debug))
      .when(releaseOwnership({ by: dev, session: 1, ...forced }))
      .then(refused('stale-session'));
  });

  test('commands.md#corner-4: an end, at once or after draining, says who did it', () => {
    given(startedOn(dev))
      .when(endSession({ origin: debug, ...forced }))
      .then(accepted('ended', 'SessionEnded'), event(0, { forced: true, operator }));
    given(startedOn(dev))
      .when(endSession({ origin: debug, drainSeconds: 9, ...forced }))
      .then(accepted('ending', 'SessionEnding'), event(0, { forced: true, operator }));
  });

  test('commands.md#corner-9: a claim makes who did it the principal of the session', () => {
    given(startedOn(dev))
      .when(claimOwnership(debug, forced))
      .then(
        accepted('claimed', 'OwnershipClaimed'),
        event(0, { forced: true, session: { principal: operator } }),
      );
  });
});

describe('erasing the details of a scope', () => {
  const withDetails = { attributesDigest: 'digest-1' };

  test('commands.md#corner-15: raises the revision of the current session, which keeps digest, owner and epoch', () => {
    given(startedOn(dev, withDetails))
      .when(eraseScope())
      .then(
        accepted('erased', 'DetailsErased'),
        event(0, { operator }),
        current({ ...withDetails, status: 'active', epoch: 1, revision: 2, owner: { environment: dev } }),
      );
  });

  test('commands.md#corner-15: without operate is refused', () => {
    given(startedOn(dev, withDetails))
      .when(eraseScope({ operate: false }))
      .then(refused('operate-required'));
  });

  test('commands.md#corner-15: of a session that has ended leaves it as it ended', () => {
    given(startedOn(dev, withDetails), endedBy(dev))
      .when(eraseScope())
      .then(accepted('erased', 'DetailsErased'), session({ status: 'ended', revision: 2 }), ({ decision }) =>
        expect(decision.events[0]).not.toHaveProperty('session'),
      );
  });

  test('commands.md#corner-15: also when only sessions of the past have details', () => {
    given(startedOn(dev, withDetails), supersededBy(debug))
      .when(eraseScope())
      .then(accepted('erased', 'DetailsErased'), current({ sessionId: 'session-2', revision: 4 }));
  });

  test('commands.md#corner-15: takes the handles away, too, of the scope and of the session that is current', () => {
    const named = startedOn(dev, { handles: [toScope('t'), toSession('a')] });
    given(named)
      .when(eraseScope())
      .then(accepted('erased', 'DetailsErased'), ({ after }) => {
        expect(after.state.latest).not.toHaveProperty('handles');
        expect([...after.handles]).toEqual([]);
      });
    given(named, erasedAt(0)).when(eraseScope()).then(accepted('unchanged'));
  });

  test('commands.md#corner-15: again, or where there never were any, is unchanged', () => {
    given(startedOn(dev, withDetails), erasedAt(0)).when(eraseScope()).then(accepted('unchanged'));
    given(startedOn(dev)).when(eraseScope()).then(accepted('unchanged'));
  });

  test('commands.md#corner-15: again after new attributes is erased again', () => {
    given(startedOn(dev, withDetails), erasedAt(0), startedOn(dev, { attributesDigest: 'digest-2' }))
      .when(eraseScope())
      .then(accepted('erased', 'DetailsErased'));
    given(
      startedOn(dev, withDetails),
      erasedAt(0),
      changeAttributes({ by: dev, attributesDigest: 'digest-2' }),
    )
      .when(eraseScope())
      .then(accepted('erased', 'DetailsErased'));
  });

  test('commands.md#corner-15: after a rotation, whose successor has inherited them, is erased', () => {
    given(startedOn(dev, withDetails), rotatedBy(dev))
      .when(eraseScope())
      .then(accepted('erased', 'DetailsErased'), current({ ...withDetails, sessionId: 'session-2' }));
  });

  test('commands.md#corner-15: says first what time has brought about, and renews no lease', () => {
    given(startedOn(dev, { ...withDetails, ...lease() }))
      .when(eraseScope({ second: 10 }))
      .then(
        accepted('erased', 'OwnershipLapsed', 'DetailsErased'),
        current({ status: 'released', revision: 3 }),
      );
    given(startedOn(dev, { ...withDetails, ...lease() }), erasedAt(5))
      .when(releaseOwnership({ by: dev, second: 10 }))
      .then(({ decision }) => expect(decision.events[0]).toMatchObject({ type: 'OwnershipLapsed' }));
  });
});
