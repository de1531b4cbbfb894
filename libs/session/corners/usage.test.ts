import {
  accepted,
  besides,
  claimedBy,
  current,
  endedBy,
  event,
  given,
  handle,
  lease,
  recordUsage,
  refused,
  releasedBy,
  rotatedBy,
  rotateSession,
  session,
  startedOn,
  supersededBy,
  usedBy,
} from '../specification.js';

// What sessions used. docs/chains.md says how it fits together.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const eur = (amount: string) => ({ amount, currency: 'EUR' });
const most = Number.MAX_SAFE_INTEGER;
const none = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, durationMs: 0, cost: {} };

describe('usage of the current session', () => {
  test('is added to its sums; the revision rises, the epoch stays', () => {
    const usage = { inputTokens: 100, outputTokens: 20, cachedTokens: 7, durationMs: 900, model: 'opus' };
    given(startedOn(dev))
      .when(recordUsage({ by: dev, usage: { ...usage, cost: eur('0.10') } }))
      .then(
        accepted('recorded', 'UsageRecorded'),
        event(0, { usage: { ...usage, cost: eur('0.10') } }),
        session({ sessionId: 'session-1', epoch: 1, revision: 2, status: 'active' }),
        session({
          usage: {
            operations: 1,
            inputTokens: 100,
            outputTokens: 20,
            cachedTokens: 7,
            durationMs: 900,
            cost: { EUR: '0.1' },
          },
        }),
      );
  });

  test('is summed exactly, each currency for itself', () => {
    const costs = [eur('0.1'), eur('0.2'), { amount: '5', currency: 'JPY' }, eur('0.000000001')];
    given(startedOn(dev), ...costs.slice(1).map((cost) => usedBy({ by: dev, usage: { cost } })))
      .when(recordUsage({ by: dev, usage: { cost: costs[0]! } }))
      .then(session({ usage: { ...none, operations: 4, cost: { EUR: '0.300000001', JPY: '5' } } }));
  });

  test("is its principal's to tell, or of whoever has operate: nobody else fills its sums", () => {
    given(startedOn(dev))
      .when(recordUsage({ by: debug, usage: { inputTokens: most } }))
      .then(refused('not-owner'));
    given(startedOn(dev))
      .when(recordUsage({ by: debug, operate: true }))
      .then(accepted('recorded', 'UsageRecorded'), current({ owner: { environment: dev } }));
  });

  test('is taken in every state', () => {
    for (const steps of [
      [startedOn(dev, { phase: 'starting' as const })],
      [startedOn(dev), releasedBy(dev)],
      [startedOn(dev), releasedBy(dev), claimedBy(debug)],
    ])
      given(...steps)
        .when(recordUsage({ by: dev, operate: true }))
        .then(
          accepted('recorded', 'UsageRecorded'),
          session({ usage: { ...none, operations: 1, inputTokens: 1 } }),
        );
  });

  test('does not renew a lease: it is no sign of life of the owner', () => {
    given(startedOn(dev, lease()), usedBy({ by: dev, second: 9 }))
      .when(recordUsage({ by: dev, second: 10 }))
      .then(accepted('recorded', 'OwnershipLapsed', 'UsageRecorded'), current({ status: 'released' }));
  });
});

describe('usage of a session that has ended', () => {
  test('is added to it, and changes nothing else', () => {
    given(startedOn(dev), supersededBy(debug), usedBy({ by: dev, session: 1 }))
      .when(recordUsage({ by: dev, session: 1, usage: { outputTokens: 5 } }))
      .then(
        accepted('recorded', 'UsageRecorded'),
        event(0, {
          previous: { sessionId: 'session-1', status: 'ended', endCause: 'superseded', revision: 2 },
        }),
        session({ usage: { ...none, operations: 2, inputTokens: 1, outputTokens: 5 } }),
        besides({ sessionId: 'session-2' }),
        current({ sessionId: 'session-2', epoch: 2, revision: 3 }),
      );
  });

  test('is added, too, when none is current', () => {
    given(startedOn(dev), endedBy(dev))
      .when(recordUsage({ by: dev, session: 1 }))
      .then(accepted('recorded', 'UsageRecorded'), current(undefined), session({ epoch: 2, revision: 2 }));
  });
});

describe('sums that would be too large', () => {
  test.each(['inputTokens', 'outputTokens', 'cachedTokens', 'durationMs'] as const)(
    '%s over 2^53-1',
    (name) => {
      given(startedOn(dev), usedBy({ by: dev, usage: { [name]: most - 1 } }))
        .when(recordUsage({ by: dev, usage: { [name]: 1 } }))
        .then(
          accepted('recorded', 'UsageRecorded'),
          session({ usage: { ...none, operations: 2, [name]: most } }),
        );
      given(startedOn(dev), usedBy({ by: dev, usage: { [name]: most } }))
        .when(recordUsage({ by: dev, usage: { [name]: 1 } }))
        .then(refused('usage-overflow'));
    },
  );

  test('a cost of over 18 digits before the point', () => {
    given(startedOn(dev), usedBy({ by: dev, usage: { cost: eur('999999999999999999') } }))
      .when(recordUsage({ by: dev, usage: { cost: eur('0.999999999') } }))
      .then(accepted('recorded', 'UsageRecorded'));
    given(startedOn(dev), usedBy({ by: dev, usage: { cost: eur('999999999999999999') } }))
      .when(recordUsage({ by: dev, usage: { cost: eur('1') } }))
      .then(refused('usage-overflow'));
  });

  test('a ninth currency', () => {
    const eight = [...'ABCDEFGH'].map((letter) => ({ amount: '1', currency: `XX${letter}` }));
    const steps = [startedOn(dev), ...eight.map((cost) => usedBy({ by: dev, usage: { cost } }))];
    given(...steps)
      .when(recordUsage({ by: dev, usage: { cost: eur('1') } }))
      .then(refused('too-many-currencies'));
    given(...steps)
      .when(recordUsage({ by: dev, usage: { cost: eight[3]! } }))
      .then(accepted('recorded', 'UsageRecorded'));
  });
});

describe('a rotation with usage', () => {
  test('records it for the session that is rotated away, and then rotates', () => {
    given(startedOn(dev))
      .when(rotateSession({ by: dev, usage: { inputTokens: 12, cost: eur('0.3') } }))
      .then(
        accepted('rotated', 'UsageRecorded', 'SessionRotated'),
        event(0, { session: { sessionId: 'session-1', status: 'active', revision: 2, epoch: 1 } }),
        event(1, {
          previous: { usage: { operations: 1, inputTokens: 12, cost: { EUR: '0.3' } }, revision: 3 },
        }),
        current({ sessionId: 'session-2', epoch: 2, revision: 3 }),
        ({ after }) => expect(after.state.latest).not.toHaveProperty('usage'),
      );
  });

  test('does not happen when the sums would be too large', () => {
    given(startedOn(dev), usedBy({ by: dev, usage: { inputTokens: most } }))
      .when(rotateSession({ by: dev, usage: { inputTokens: 1 } }))
      .then(refused('usage-overflow'));
  });

  test('that is asked again counts once', () => {
    const again = { successorHandle: handle('h'), usage: { inputTokens: 12 } };
    given(startedOn(dev), rotatedBy(dev, again))
      .when(rotateSession({ by: dev, session: 1, ...again }))
      .then(accepted('already-rotated'));
  });
});
