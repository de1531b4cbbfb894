import {
  accepted,
  at,
  claimedBy,
  claimOwnership,
  current,
  endSession,
  given,
  lease,
  refused,
  refusedAfter,
  releasedBy,
  releaseOwnership,
  rotatedBy,
  session,
  settleSession,
  startedOn,
  startSession,
  stopIgnoredAfter,
} from '../specification.js';

// Sessions that were released, and nobody claims. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const other = 'cloud-other';
const policy = { endReleasedAfterSeconds: 60 };
const started = startedOn(dev, { policy });
const expired = ['SessionExpired'] as const;

describe('under a policy that ends what was released', () => {
  test('commands.md#corner-8: it expires so long after it was released to nobody', () => {
    given(started)
      .when(releaseOwnership({ by: dev, second: 5 }))
      .then(accepted('released', 'OwnershipReleased'), current({ expiresAt: at(65) }));
    const released = given(started, releasedBy(dev));
    released.when(settleSession(59)).then(accepted('settled'), current({ status: 'released' }));
    released.when(settleSession(60)).then(accepted('settled', ...expired), current(undefined));
    released.when(settleSession(60)).then(session({ endCause: 'expired', endedAt: at(60), epoch: 3 }));
  });

  test('commands.md#corner-8: or so long after its reservation is over', () => {
    given(started)
      .when(releaseOwnership({ by: dev, to: debug, reservedSeconds: 30, second: 5 }))
      .then(current({ reservedUntil: at(35), reservedSeconds: 30, expiresAt: at(95) }));
    const reserved = given(started, releasedBy(dev, debug, 30));
    reserved.when(claimOwnership(other, { second: 29 })).then(refused('reserved', { until: at(30) }));
    reserved.when(claimOwnership(other, { second: 89 })).then(accepted('claimed', 'OwnershipClaimed'));
    reserved.when(settleSession(90)).then(accepted('settled', ...expired));
  });

  test('commands.md#corner-7: whoever finds it over says so first', () => {
    const released = given(started, releasedBy(dev));
    released.when(claimOwnership(other, { second: 60 })).then(refusedAfter([...expired], 'session-ended'));
    released
      .when(endSession({ origin: dev, second: 60 }))
      .then(stopIgnoredAfter([...expired], 'expired', 'session-ended'));
    released
      .when(startSession(other, { onConflict: 'join', second: 60 }))
      .then(accepted('started', ...expired, 'SessionStarted'));
  });

  test('commands.md#corner-10: releasing again is unchanged, and puts nothing off', () => {
    given(started, releasedBy(dev))
      .when(releaseOwnership({ by: dev, epoch: 1, second: 30 }))
      .then(accepted('unchanged'), current({ expiresAt: at(60) }));
  });

  test('commands.md#corner-9: a claim ends the time; the next release begins it anew', () => {
    given(started, releasedBy(dev))
      .when(claimOwnership(debug, { second: 50 }))
      .then(accepted('claimed', 'OwnershipClaimed'), ({ decision, after }) => {
        expect(decision).not.toHaveProperty('session.expiresAt');
        expect(after).not.toHaveProperty('timer');
      });
    given(started, releasedBy(dev), claimedBy(debug, { second: 50 }))
      .when(releaseOwnership({ by: debug, second: 55 }))
      .then(current({ expiresAt: at(115) }));
  });

  test('commands.md#corner-11: a rotation inherits it, a reset, too', () => {
    for (const reason of ['build', 'reset']) {
      given(started, rotatedBy(dev, { reason }))
        .when(releaseOwnership({ by: dev, second: 5 }))
        .then(current({ expiresAt: at(65), policy }));
    }
  });

  test('commands.md#corner-8: what a lapse released expires with its grace, as without a policy', () => {
    const lapsed = given(startedOn(dev, { ...lease(), policy }));
    lapsed.when(settleSession(10)).then(current({ reservedUntil: at(15), expiresAt: at(15) }));
  });
});

test('without a policy it stays for good', () => {
  given(startedOn(dev), releasedBy(dev, debug, 30))
    .when(settleSession(1_000_000))
    .then(accepted('settled'), ({ after }) => expect(after).not.toHaveProperty('timer'));
});

describe('a reservation that an outage has put off', () => {
  const putOff = { reservedUntil: at(70) };

  test('commands.md#corner-9: goes on until then, also when its own time is over', () => {
    const reserved = given(startedOn(dev), releasedBy(dev, debug, 30));
    reserved
      .when(claimOwnership(other, { second: 40 }))
      .on(putOff)
      .then(refused('reserved', { until: at(70) }));
    reserved
      .when(startSession(other, { onConflict: 'join', second: 40 }))
      .on(putOff)
      .then(refused('reserved', { until: at(70) }));
    for (const owner of [debug, other]) {
      reserved
        .when(claimOwnership(owner, { second: owner === debug ? 40 : 70 }))
        .on(putOff)
        .then(accepted('claimed', 'OwnershipClaimed'));
    }
  });
});
