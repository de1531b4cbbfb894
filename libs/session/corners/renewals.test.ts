import {
  accepted,
  at,
  changeAttributes,
  claimedBy,
  claimOwnership,
  current,
  draining,
  endedBy,
  endSession,
  given,
  lease,
  type RefusalCode,
  refused,
  releasedBy,
  releaseOwnership,
  renewedBy,
  renewLease,
  rotatedBy,
  rotateSession,
  type Step,
  settledAt,
  startedOn,
  startSession,
  supersededBy,
  touchSession,
} from '../specification.js';

// Signs of life, and facts: commands that leave the owner and the epoch as they are.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const leased = startedOn(dev, lease());
const usedLease = startedOn(dev, lease({ renewOn: 'use' }));
const until = (second: number | undefined) => (told: { after: { timer?: { until: string } } }) =>
  expect(told.after.timer?.until).toBe(second === undefined ? undefined : at(second));

/** What an owner command is refused with, in whatever state the session is. */
const refusals: { state: string; steps: Step[]; late?: object; code: RefusalCode }[] = [
  { state: 'superseded', steps: [leased, supersededBy(debug)], late: { session: 1 }, code: 'stale-session' },
  { state: 'rotated', steps: [leased, rotatedBy(dev)], late: { session: 1 }, code: 'stale-session' },
  { state: 'ended', steps: [leased, endedBy(dev)], late: { session: 1 }, code: 'session-ended' },
  { state: 'released', steps: [leased, releasedBy(dev)], late: { epoch: 1 }, code: 'stale-epoch' },
  { state: 'released by now', steps: [leased, releasedBy(dev)], late: { epoch: 2 }, code: 'not-owner' },
  {
    state: "another's",
    steps: [leased, releasedBy(dev), claimedBy(debug)],
    late: { epoch: 1 },
    code: 'stale-epoch',
  },
  { state: 'lapsed', steps: [leased, settledAt(10)], late: { epoch: 1 }, code: 'stale-epoch' },
  { state: 'of an epoch to come', steps: [leased], late: { epoch: 2 }, code: 'future-epoch' },
  { state: "another principal's", steps: [leased], late: { principal: debug }, code: 'not-owner' },
];

describe('renewing a lease', () => {
  test('starts it anew, without an event', () => {
    given(leased)
      .when(renewLease({ by: dev, second: 9 }))
      .then(accepted('renewed'), until(19));
    given(leased, renewedBy(dev, 9), renewedBy(dev, 18))
      .when(renewLease({ by: dev, second: 27 }))
      .then(accepted('renewed'), until(37), current({ epoch: 1, revision: 1 }));
  });

  test('does so while starting, too', () => {
    given(startedOn(dev, { phase: 'starting', ...lease() }))
      .when(renewLease({ by: dev, second: 9 }))
      .then(accepted('renewed'), until(19));
  });

  test('that there is none is no-lease', () => {
    given(startedOn(dev))
      .when(renewLease({ by: dev }))
      .then(refused('no-lease'), until(undefined));
  });

  test.each(refusals)('of a session that is $state is $code', ({ steps, late, code }) => {
    given(...steps)
      .when(renewLease({ by: dev, second: 12, ...late }))
      .on({ due: false })
      .then(refused(code));
  });

  test('by a principal with operate is as by the owner', () => {
    given(leased)
      .when(renewLease({ by: debug, operate: true }))
      .then(accepted('renewed'));
  });

  test('of one that is ending is session-ending', () => {
    given(leased, draining)
      .when(renewLease({ by: dev }))
      .then(refused('session-ending'));
  });
});

describe('touching a session', () => {
  test("by its principal renews a lease that use renews, and by whoever has operate; nobody else's does", () => {
    for (const who of [{ by: dev }, { by: debug, operate: true }]) {
      given(usedLease)
        .when(touchSession({ ...who, second: 9 }))
        .then(accepted('renewed'), until(19), current({ epoch: 1, revision: 1 }));
    }
    given(usedLease)
      .when(touchSession({ by: debug, second: 9 }))
      .then(refused('not-owner'));
  });

  test('does nothing for one that heartbeats renew, or when there is none', () => {
    given(leased)
      .when(touchSession({ by: dev, second: 9 }))
      .then(accepted('unchanged'), until(10));
    given(startedOn(dev))
      .when(touchSession({ by: dev }))
      .then(accepted('unchanged'), until(undefined));
  });

  test('that was released does not bring it back', () => {
    given(usedLease, releasedBy(dev))
      .when(touchSession({ by: dev }))
      .then(accepted('unchanged'), until(undefined), current({ status: 'released' }));
  });

  test('that has ended names the current one', () => {
    given(usedLease, supersededBy(debug))
      .when(touchSession({ by: dev, session: 1 }))
      .then(refused('stale-session'));
    given(usedLease, endedBy(dev))
      .when(touchSession({ by: dev, session: 1 }))
      .then(refused('session-ended'));
  });

  test('joining it is use, and leaves a lease that heartbeats renew alone', () => {
    const join = { onConflict: 'join', second: 9 } as const;
    given(usedLease).when(startSession(debug, join)).then(accepted('joined'), until(19));
    given(leased).when(startSession(debug, join)).then(accepted('joined'), until(10));
  });
});

describe('changing attributes', () => {
  const known = startedOn(dev, { attributesDigest: 'one' });
  const change = (more: object = {}) => changeAttributes({ by: dev, attributesDigest: 'two', ...more });

  test('is seen by readers, and changes neither owner nor epoch', () => {
    given(known)
      .when(change())
      .then(
        accepted('changed', 'AttributesChanged'),
        current({ attributesDigest: 'two', epoch: 1, revision: 2, status: 'active' }),
      );
  });

  test('to none leaves none', () => {
    given(known)
      .when(change({ attributesDigest: undefined }))
      .then(accepted('changed', 'AttributesChanged'), ({ decision }) =>
        expect(decision).not.toHaveProperty('session.attributesDigest'),
      );
  });

  test('to what they are changes nothing', () => {
    given(known)
      .when(change({ attributesDigest: 'one' }))
      .then(accepted('unchanged'), current({ revision: 1 }));
    given(startedOn(dev))
      .when(change({ attributesDigest: undefined }))
      .then(accepted('unchanged'));
  });

  test('is possible while it starts and while it drains, which goes on', () => {
    given(startedOn(dev, { phase: 'starting' }))
      .when(change())
      .then(accepted('changed', 'AttributesChanged'), current({ status: 'starting' }));
    given(known, draining)
      .when(change({ second: 9 }))
      .then(accepted('changed', 'AttributesChanged'), current({ status: 'ending', drainUntil: at(30) }));
  });

  test.each(refusals)('of a session that is $state is $code', ({ steps, late, code }) => {
    given(...steps)
      .when(change({ second: 12, ...late }))
      .on({ due: false })
      .then(refused(code));
  });
});

describe('whatever its owner does', () => {
  test.each([
    { what: 'to rotate it', ask: rotateSession({ by: dev, second: 4 }), second: 14 },
    {
      what: 'to change its attributes',
      ask: changeAttributes({ by: dev, attributesDigest: 'x', second: 4 }),
      second: 14,
    },
    { what: 'to release it', ask: releaseOwnership({ by: dev, second: 4 }), second: undefined },
    { what: 'to end it', ask: endSession({ origin: dev, second: 4 }), second: undefined },
  ])('$what is a sign of life, and takes the lease along', ({ ask, second }) => {
    given(leased).when(ask).then(until(second));
  });

  test('a claim may bring terms of its own, or takes over those that were', () => {
    given(leased, releasedBy(dev))
      .when(claimOwnership(debug, { second: 4 }))
      .then(until(14));
    given(leased, releasedBy(dev))
      .when(claimOwnership(debug, { second: 4, ...lease({ seconds: 100 }) }))
      .then(until(104), current(lease({ seconds: 100 })));
  });
});
