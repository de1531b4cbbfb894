import {
  accepted,
  besides,
  current,
  event,
  given,
  handle,
  invalidBy,
  refused,
  rotatedBy,
  rotateSession,
  type Step,
  session,
  startedOn,
  startSession,
  usedBy,
} from '../specification.js';

// How chains grow. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const rotations = (count: number): Step[] => Array.from({ length: count }, () => rotatedBy(dev));

describe('a successor', () => {
  test('commands.md#corner-11: follows its parent in the chain and leaves behind what is the parent’s alone', () => {
    const policy = { maxChainLength: 9 };
    given(
      startedOn(dev, { policy, attributesDigest: 'digest' }),
      rotatedBy(dev, { versionId: 'v1', successorHandle: handle('h1') }),
      usedBy({ by: dev }),
    )
      .when(rotateSession({ by: dev, reason: 'compact' }))
      .then(
        accepted('rotated', 'SessionRotated'),
        session({ parentId: 'session-2', rootId: 'session-1', chainLength: 3, reason: 'compact', policy }),
        session({ attributesDigest: 'digest', principal: dev }),
        ({ after }) => {
          for (const own of ['versionId', 'handles', 'usage'])
            expect(after.state.latest).not.toHaveProperty(own);
        },
      );
  });
});

describe('a policy', () => {
  test('commands.md#corner-11: advises a reset from its length on, in every answer', () => {
    const policy = { maxChainLength: 4, adviseAt: 3 };
    given(startedOn(dev, { policy }), ...rotations(1))
      .when(rotateSession({ by: dev }))
      .then(session({ resetAdvised: true }));
    given(startedOn(dev, { policy }))
      .when(rotateSession({ by: dev }))
      .then(({ after }) => expect(after.state.latest).not.toHaveProperty('resetAdvised'));
  });

  test('commands.md#corner-11: advises it at the latest when no other successor is allowed', () => {
    given(startedOn(dev, { policy: { maxChainLength: 2 } }))
      .when(rotateSession({ by: dev }))
      .then(session({ chainLength: 2, resetAdvised: true }));
    given()
      .when(startSession(dev, { policy: { adviseAt: 1 } }))
      .then(session({ chainLength: 1, resetAdvised: true }));
  });

  test('commands.md#corner-11: refuses a successor beyond the greatest length', () => {
    given(startedOn(dev, { policy: { maxChainLength: 3 } }), ...rotations(2))
      .when(rotateSession({ by: dev }))
      .then(refused('chain-too-long'));
    given(startedOn(dev, { policy: { maxChainLength: 1 } }))
      .when(rotateSession({ by: dev }))
      .then(refused('chain-too-long'));
    given(startedOn(dev, { policy: { adviseAt: 2 } }), ...rotations(5))
      .when(rotateSession({ by: dev }))
      .then(session({ chainLength: 7, resetAdvised: true }));
  });

  test('commands.md#corner-11: does not hide what was rotated before, nor who may rotate', () => {
    const policy = { maxChainLength: 2 };
    given(startedOn(dev, { policy }), rotatedBy(dev, { successorHandle: handle('h') }))
      .when(rotateSession({ by: dev, session: 1, successorHandle: handle('h') }))
      .then(accepted('already-rotated'), session({ sessionId: 'session-2' }));
    given(startedOn(dev, { policy }), ...rotations(1))
      .when(rotateSession({ by: debug }))
      .then(refused('not-owner'));
  });

  test('commands.md#corner-12: does not stand in the way of a recovery', () => {
    given(startedOn(dev, { policy: { maxChainLength: 2 } }), ...rotations(1))
      .when(invalidBy({ by: dev }))
      .then(session({ chainLength: 3, recoveredFrom: 'session-1', resetAdvised: true }));
  });
});

describe('a reset', () => {
  const policy = { maxChainLength: 3, adviseAt: 2 };

  test('commands.md#corner-11: starts a new chain that names the old one', () => {
    given(startedOn(dev, { policy, attributesDigest: 'digest' }), ...rotations(2))
      .when(rotateSession({ by: dev, reason: 'reset', versionId: 'v9' }))
      .then(
        accepted('rotated', 'SessionRotated'),
        event(0, { previous: { sessionId: 'session-3', endCause: 'reset', successorId: 'session-4' } }),
        session({ sessionId: 'session-4', rootId: 'session-4', previousRootId: 'session-1', chainLength: 1 }),
        session({
          epoch: 4,
          policy,
          owner: { environment: dev },
          attributesDigest: 'digest',
          versionId: 'v9',
        }),
        ({ after }) => {
          for (const no of ['parentId', 'resetAdvised']) expect(after.state.latest).not.toHaveProperty(no);
        },
      );
  });

  test('commands.md#corner-11: is named by its root alone, and grows anew', () => {
    const steps = [startedOn(dev, { policy }), ...rotations(2), rotatedBy(dev, { reason: 'reset' })];
    given(...steps)
      .when(rotateSession({ by: dev }))
      .then(
        session({ rootId: 'session-4', parentId: 'session-4', chainLength: 2, resetAdvised: true }),
        ({ after }) => expect(after.state.latest).not.toHaveProperty('previousRootId'),
      );
  });

  test('commands.md#corner-11: asked again for the same successor handle is the recorded one', () => {
    const reset = { reason: 'reset', successorHandle: handle('h') };
    given(startedOn(dev), rotatedBy(dev, reset), ...rotations(1))
      .when(rotateSession({ by: dev, session: 1, ...reset }))
      .then(
        accepted('already-rotated'),
        session({ sessionId: 'session-2' }),
        besides({ sessionId: 'session-3' }),
      );
  });

  test('commands.md#corner-11: is refused as any rotation is', () => {
    given(startedOn(dev), rotatedBy(dev, { reason: 'reset' }))
      .when(rotateSession({ by: dev, session: 1, reason: 'reset' }))
      .then(refused('stale-session'), current({ sessionId: 'session-2' }));
  });
});
