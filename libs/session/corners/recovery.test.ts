import {
  accepted,
  at,
  besides,
  changeHandles,
  checkpointBy,
  claimedBy,
  current,
  draining,
  endedBy,
  event,
  given,
  handle,
  handles,
  invalidBy,
  lease,
  refused,
  refusedAfter,
  releasedBy,
  reportInvalid,
  rotatedBy,
  rotateSession,
  type Step,
  session,
  startedOn,
  startSession,
  supersededBy,
  toSession,
} from '../specification.js';

// Sessions that cannot be continued. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const rotations = (count: number): Step[] => Array.from({ length: count }, () => rotatedBy(dev));
const broken = { by: dev, reason: 'context lost' };

describe('the current session is invalid', () => {
  test('commands.md#corner-12: it ends, and its owner goes on from the latest valid one, in one append', () => {
    given(
      startedOn(dev, { ...lease(), attributesDigest: 'digest', policy: { adviseAt: 9 } }),
      ...rotations(2),
    )
      .when(reportInvalid({ ...broken, second: 5 }))
      .then(
        accepted('recovered', 'SessionInvalidated', 'SessionStarted'),
        event(0, { session: { sessionId: 'session-3', status: 'ended', endCause: 'invalid', epoch: 4 } }),
        event(0, { session: { invalid: { at: at(5), reason: 'context lost' }, successorId: 'session-4' } }),
        event(1, { insteadOf: 'session-3' }),
        session({ sessionId: 'session-4', recoveredFrom: 'session-2', epoch: 4, status: 'active' }),
        session({ parentId: 'session-3', rootId: 'session-1', chainLength: 4, startedAt: at(5) }),
        session({ ...lease(), attributesDigest: 'digest', policy: { adviseAt: 9 } }),
        session({ owner: { environment: dev }, principal: dev }),
        ({ after }) => expect(after.state.latest).not.toHaveProperty('invalid'),
      );
  });

  test('commands.md#corner-12: outside names of the valid one mean the recovered one; those of the invalid one stay dead', () => {
    const steps = [
      startedOn(dev),
      rotatedBy(dev, { successorHandle: handle('h2') }),
      rotatedBy(dev, { successorHandle: handle('h3') }),
    ];
    given(...steps)
      .when(reportInvalid(broken))
      .then(session({ recoveredFrom: 'session-2', handles: [handle('h2')] }), handles({ h2: 4 }));
    given(...steps, invalidBy(broken))
      .when(rotateSession({ by: dev, successorHandle: handle('h3') }))
      .then(refused('handle-taken', { handle: 'agent' }));
    given(...steps)
      .when(reportInvalid({ ...broken, fallback: 'start-fresh' }))
      .then(handles({}), ({ decision }) => expect(decision).not.toHaveProperty('session.handles'));
  });

  test('commands.md#corner-12: an outside name that was unbound meanwhile is not taken back', () => {
    given(
      startedOn(dev, { handles: [toSession('h1')] }),
      checkpointBy(dev, 'here'),
      rotatedBy(dev),
      invalidBy(broken),
      changeHandles({ by: dev, unbind: [handle('h1')] }),
    )
      .when(startSession(dev, { fromCheckpoint: 'here' }))
      .then(session({ recoveredFrom: 'session-1' }), handles({}));
  });

  test('commands.md#corner-12: the next rotation continues from the recovered one', () => {
    given(startedOn(dev), ...rotations(1), invalidBy(broken))
      .when(rotateSession({ by: dev }))
      .then(session({ parentId: 'session-3', rootId: 'session-1', chainLength: 4 }), ({ after }) =>
        expect(after.state.latest).not.toHaveProperty('recoveredFrom'),
      );
  });

  test('commands.md#corner-12: again and again, it goes further back', () => {
    const twice = [startedOn(dev), ...rotations(2), invalidBy(broken)];
    given(...twice)
      .when(reportInvalid(broken))
      .then(
        accepted('recovered', 'SessionInvalidated', 'SessionStarted'),
        session({ recoveredFrom: 'session-1' }),
      );
    given(...twice, ...rotations(1))
      .when(reportInvalid(broken))
      .then(session({ recoveredFrom: 'session-4' }));
    given(...twice, invalidBy(broken))
      .when(reportInvalid(broken))
      .then(accepted('started-fresh', 'SessionInvalidated', 'SessionStarted'));
  });

  test('commands.md#corner-12: passes by those that were reported invalid after they had ended', () => {
    given(
      startedOn(dev),
      ...rotations(3),
      invalidBy({ ...broken, session: 3 }),
      invalidBy({ ...broken, session: 2 }),
    )
      .when(reportInvalid({ ...broken, session: 4 }))
      .then(
        accepted('recovered', 'SessionInvalidated', 'SessionStarted'),
        session({ recoveredFrom: 'session-1' }),
      );
  });

  test('commands.md#corner-12: goes back at most 100 sessions', () => {
    const steps = [startedOn(dev), ...rotations(101)];
    const all = Array.from({ length: 100 }, (_, index) => invalidBy({ ...broken, session: index + 2 }));
    given(...steps, ...all.slice(1))
      .when(reportInvalid({ ...broken, session: 102 }))
      .then(session({ recoveredFrom: 'session-2' }));
    given(...steps, ...all)
      .when(reportInvalid({ ...broken, session: 102 }))
      .then(accepted('started-fresh', 'SessionInvalidated', 'SessionStarted'));
  });

  test.each([
    { why: 'there is no valid one', steps: [startedOn(dev)], last: 1, fallback: 'latest-valid' as const },
    {
      why: 'it is asked for',
      steps: [startedOn(dev), ...rotations(1)],
      last: 2,
      fallback: 'start-fresh' as const,
    },
  ])('commands.md#corner-12: starts a new chain when $why', ({ steps, last, fallback }) => {
    given(...steps)
      .when(reportInvalid({ ...broken, fallback }))
      .then(
        accepted('started-fresh', 'SessionInvalidated', 'SessionStarted'),
        event(1, { insteadOf: `session-${last}` }),
        session({
          rootId: `session-${last + 1}`,
          chainLength: 1,
          previousRootId: 'session-1',
          epoch: last + 1,
        }),
        session({ owner: { environment: dev } }),
        ({ after }) => {
          for (const no of ['parentId', 'recoveredFrom']) expect(after.state.latest).not.toHaveProperty(no);
        },
      );
  });

  test('commands.md#corner-12: a starting one is followed by a starting one', () => {
    given(startedOn(dev, { phase: 'starting' }))
      .when(reportInvalid(broken))
      .then(session({ status: 'starting', chainLength: 1 }));
  });

  test('commands.md#corner-12: again gives the recovered session, however late, with the current one', () => {
    given(startedOn(dev), ...rotations(1), invalidBy(broken))
      .when(reportInvalid({ ...broken, session: 2 }))
      .then(
        accepted('already-recovered'),
        session({ sessionId: 'session-3' }),
        besides({ sessionId: 'session-3' }),
      );
    given(startedOn(dev), invalidBy(broken), ...rotations(1))
      .when(reportInvalid({ ...broken, session: 1 }))
      .then(
        accepted('already-recovered'),
        session({ sessionId: 'session-2' }),
        besides({ sessionId: 'session-3' }),
      );
  });

  test('commands.md#corner-12: only its owner may say so, under its epoch', () => {
    given(startedOn(dev))
      .when(reportInvalid({ by: debug }))
      .then(refused('not-owner'));
    given(startedOn(dev))
      .when(reportInvalid({ by: dev, owner: debug }))
      .then(refused('not-owner'));
    given(startedOn(dev), releasedBy(dev), claimedBy(dev))
      .when(reportInvalid({ by: dev, epoch: 1 }))
      .then(refused('stale-epoch'));
    given(startedOn(dev), releasedBy(dev))
      .when(reportInvalid({ by: dev, epoch: 2 }))
      .then(refused('not-owner'));
    given(startedOn(dev), draining).when(reportInvalid(broken)).then(refused('session-ending'));
    given(startedOn(dev))
      .when(reportInvalid({ by: dev, epoch: 2 }))
      .then(refused('future-epoch'));
  });

  test('commands.md#corner-7: lapses first when its lease is over', () => {
    given(startedOn(dev, lease()))
      .when(reportInvalid({ ...broken, second: 10 }))
      .then(refusedAfter(['OwnershipLapsed'], 'stale-epoch'));
  });
});

describe('a session that has ended is invalid', () => {
  test('commands.md#corner-12: it is marked, and all else stays as it was', () => {
    given(startedOn(dev), ...rotations(1))
      .when(reportInvalid({ ...broken, session: 1, second: 7 }))
      .then(
        accepted('marked-invalid', 'SessionInvalidated'),
        event(0, { previous: { sessionId: 'session-1', endCause: 'rotated', epoch: 2, revision: 2 } }),
        session({ invalid: { at: at(7), reason: 'context lost' } }),
        besides({ sessionId: 'session-2' }),
        current({ sessionId: 'session-2', epoch: 2, revision: 2 }),
      );
  });

  test('commands.md#corner-12: so, when none is current', () => {
    given(startedOn(dev), endedBy(dev))
      .when(reportInvalid({ ...broken, session: 1 }))
      .then(
        accepted('marked-invalid', 'SessionInvalidated'),
        session({ endCause: 'ended' }),
        current(undefined),
      );
  });

  test('commands.md#corner-12: again is unchanged', () => {
    given(startedOn(dev), supersededBy(debug), invalidBy({ ...broken, session: 1 }))
      .when(reportInvalid({ ...broken, session: 1 }))
      .then(accepted('unchanged'), session({ sessionId: 'session-1' }), besides({ sessionId: 'session-2' }));
  });

  test('commands.md#corner-12: by somebody else is refused', () => {
    given(startedOn(dev), supersededBy(debug))
      .when(reportInvalid({ by: debug, session: 1 }))
      .then(refused('not-owner'));
    given(startedOn(dev), supersededBy(debug))
      .when(reportInvalid({ by: dev, owner: debug, session: 1 }))
      .then(refused('not-owner'));
  });
});

describe('a failure that may pass', () => {
  const transient = { ...broken, certainty: 'transient' as const, reason: 'overloaded' };

  test('commands.md#corner-12: is recorded, says when to try again, and changes nothing', () => {
    given(startedOn(dev))
      .when(reportInvalid(transient))
      .then(
        accepted('reported', 'InvalidReported'),
        event(0, { reason: 'overloaded', retryAfter: 5 }),
        ({ decision }) => expect(decision).toMatchObject({ retryAfter: 5 }),
        ({ before, after }) => expect(after.state.latest).toEqual(before.state.latest),
      );
  });

  test('commands.md#corner-12: is recorded once for its session, epoch and reason, with the same answer', () => {
    given(startedOn(dev), invalidBy(transient))
      .when(reportInvalid(transient))
      .then(accepted('reported'), session({ sessionId: 'session-1' }), ({ decision }) =>
        expect(decision).toMatchObject({ retryAfter: 5 }),
      );
    given(startedOn(dev), invalidBy(transient))
      .when(reportInvalid({ ...transient, reason: 'another' }))
      .then(accepted('reported', 'InvalidReported'));
    given(startedOn(dev), invalidBy(transient), releasedBy(dev), claimedBy(dev))
      .when(reportInvalid(transient))
      .then(accepted('reported', 'InvalidReported'));
  });

  test('commands.md#corner-12: is no sign of life', () => {
    given(startedOn(dev, lease()), invalidBy({ ...transient, second: 9 }))
      .when(reportInvalid({ ...transient, second: 10 }))
      .then(refusedAfter(['OwnershipLapsed'], 'stale-epoch'));
  });

  test('12, 13: of a session that is not current, or not the caller’s, is told so', () => {
    given(startedOn(dev), supersededBy(debug))
      .when(reportInvalid({ ...transient, session: 1 }))
      .then(refused('stale-session'));
    given(startedOn(dev), endedBy(dev))
      .when(reportInvalid({ ...transient, session: 1 }))
      .then(refused('session-ended'));
    given(startedOn(dev))
      .when(reportInvalid({ ...transient, by: debug }))
      .then(refused('not-owner'));
  });
});
