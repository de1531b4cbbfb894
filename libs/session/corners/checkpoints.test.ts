import {
  accepted,
  checkpointBy,
  current,
  endedBy,
  event,
  given,
  handle,
  invalidBy,
  lease,
  markCheckpoint,
  refused,
  reportInvalid,
  rotatedBy,
  type Step,
  session,
  startedOn,
  startSession,
} from '../specification.js';

// Places to return to. docs/chains.md says how they fit in.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const rotations = (count: number): Step[] => Array.from({ length: count }, () => rotatedBy(dev));
const broken = { by: dev, reason: 'context lost' };

describe('a checkpoint', () => {
  test('is marked by its label, on the current session or one before it, and changes neither', () => {
    given(startedOn(dev))
      .when(markCheckpoint({ by: dev, label: 'v1' }))
      .then(
        accepted('marked', 'CheckpointMarked'),
        event(0, { label: 'v1', session: { sessionId: 'session-1' } }),
        ({ before, after }) => expect(after.state.latest).toEqual(before.state.latest),
      );
    given(startedOn(dev), ...rotations(1))
      .when(markCheckpoint({ by: dev, session: 1 }))
      .then(
        accepted('marked', 'CheckpointMarked'),
        event(0, { previous: { sessionId: 'session-1' } }),
        current({ sessionId: 'session-2', revision: 2 }),
      );
  });

  test("is its principal's to mark, or of whoever has operate", () => {
    given(startedOn(dev))
      .when(markCheckpoint({ by: debug, label: 'v1' }))
      .then(refused('not-owner'));
    given(startedOn(dev))
      .when(markCheckpoint({ by: debug, label: 'v1', operate: true }))
      .then(accepted('marked', 'CheckpointMarked'));
  });

  test('stays where it is', () => {
    given(startedOn(dev), checkpointBy(dev, 'v1'), ...rotations(1))
      .when(markCheckpoint({ by: dev, session: 1, label: 'v1' }))
      .then(accepted('unchanged'), session({ sessionId: 'session-1' }));
    given(startedOn(dev), checkpointBy(dev, 'v1'), ...rotations(1))
      .when(markCheckpoint({ by: dev, label: 'v1' }))
      .then(refused('checkpoint-taken'));
  });

  test('stays when its session becomes invalid', () => {
    given(startedOn(dev), checkpointBy(dev, 'v1'), invalidBy(broken))
      .when(markCheckpoint({ by: dev, session: 1, label: 'v1' }))
      .then(accepted('unchanged'), session({ sessionId: 'session-1' }));
  });

  test('is no sign of life', () => {
    given(startedOn(dev, lease()), checkpointBy(dev, 'v1', { second: 9 }))
      .when(markCheckpoint({ by: dev, label: 'v2', second: 10 }))
      .then(accepted('marked', 'OwnershipLapsed', 'CheckpointMarked'));
  });

  test('is not put on an invalid session', () => {
    given(startedOn(dev), invalidBy(broken))
      .when(markCheckpoint({ by: dev, session: 1 }))
      .then(refused('session-invalid'));
  });

  test('is one of at most 100', () => {
    const many = Array.from({ length: 100 }, (_, index) => checkpointBy(dev, `v${index}`));
    given(startedOn(dev), ...many.slice(1))
      .when(markCheckpoint({ by: dev, label: 'last' }))
      .then(accepted('marked', 'CheckpointMarked'));
    given(startedOn(dev), ...many)
      .when(markCheckpoint({ by: dev, label: 'one more' }))
      .then(refused('too-many-checkpoints'));
    given(startedOn(dev), ...many)
      .when(markCheckpoint({ by: dev, label: 'v7' }))
      .then(accepted('unchanged'));
  });
});

describe('a start from a checkpoint', () => {
  const marked = [
    startedOn(dev),
    rotatedBy(dev, { successorHandle: handle('h2') }),
    checkpointBy(dev, 'v1'),
    ...rotations(1),
  ];

  test('continues its session in a chain of its own', () => {
    given(...marked)
      .when(startSession(dev, { fromCheckpoint: 'v1' }))
      .then(
        accepted('started', 'SessionSuperseded', 'SessionStarted'),
        session({ sessionId: 'session-4', recoveredFrom: 'session-2', fromCheckpoint: 'v1' }),
        session({ rootId: 'session-4', chainLength: 1, previousRootId: 'session-1' }),
        ({ decision }) => expect(decision.events[1]).not.toHaveProperty('insteadOf'),
      );
    given(...marked, endedBy(dev))
      .when(startSession(dev, { fromCheckpoint: 'v1', onConflict: 'reject' }))
      .then(accepted('started', 'SessionStarted'), session({ recoveredFrom: 'session-2' }));
  });

  test('was tried by who started from it: a recovery of that one goes back to what came before', () => {
    given(...marked, startedOn(dev, { fromCheckpoint: 'v1' }))
      .when(reportInvalid(broken))
      .then(
        session({ recoveredFrom: 'session-1', parentId: 'session-4', rootId: 'session-4', chainLength: 2 }),
      );
  });

  test('is refused when nobody marked it, or its session is invalid', () => {
    given(...marked)
      .when(startSession(dev, { fromCheckpoint: 'v2' }))
      .then(refused('unknown-checkpoint'));
    given()
      .when(startSession(dev, { fromCheckpoint: 'v1' }))
      .then(refused('unknown-checkpoint'));
    given(...marked, invalidBy({ ...broken, session: 2 }))
      .when(startSession(dev, { fromCheckpoint: 'v1' }))
      .then(refused('session-invalid'));
  });

  test('joins what is current, if it is told to', () => {
    given(...marked)
      .when(startSession(debug, { fromCheckpoint: 'v1', onConflict: 'join' }))
      .then(accepted('joined'), session({ sessionId: 'session-3' }));
  });
});
