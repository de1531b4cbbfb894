import {
  accepted,
  activatedBy,
  changeHandles,
  claimOwnership,
  current,
  endedBy,
  event,
  foreign,
  given,
  handle,
  handles,
  idle,
  invalidBy,
  refused,
  releasedBy,
  rotatedBy,
  rotateSession,
  session,
  startedOn,
  startSession,
  supersededBy,
  toScope,
  toSession,
} from '../specification.js';

// Outside names. What a handle that somebody has may not do, it may in no way of binding it.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const withA = startedOn(dev, { handles: [toSession('a')] });

describe('a start', () => {
  test('binds handles to the session, which carries them from its first event on', () => {
    given()
      .when(startSession(dev, { handles: [toSession('a'), toScope('t')] }))
      .then(
        accepted('started', 'SessionStarted'),
        session({ handles: [handle('a')] }),
        handles({ a: 1, t: 'scope' }),
      );
  });

  test('takes over the handle of an earlier session of its scope: a provider may keep its id over a resume', () => {
    const resumed = startSession(dev, { handles: [toSession('a')] });
    given(withA)
      .when(startSession(debug, { handles: [toSession('a')] }))
      .then(
        accepted('started', 'SessionSuperseded', 'SessionStarted'),
        event(0, { session: { handles: [handle('a')], successorId: 'session-2' } }),
        session({ sessionId: 'session-2', handles: [handle('a')] }),
        handles({ a: 2 }),
      );
    given(withA, endedBy(dev))
      .when(resumed)
      .then(accepted('started', 'SessionStarted'), handles({ a: 2 }));
    given(withA, supersededBy(debug), supersededBy(dev))
      .when(resumed)
      .then(handles({ a: 4 }));
    given(withA, supersededBy(debug), supersededBy(dev, { handles: [toSession('a')] }))
      .when(resumed)
      .then(handles({ a: 4 }));
  });

  test('leaves the handle of an earlier session there if it asks for it for the scope, or that session was invalid', () => {
    const taken = refused('handle-taken', { handle: 'agent' });
    for (const before of [[withA], [withA, endedBy(dev)]])
      given(...before)
        .when(startSession(dev, { handles: [toScope('a')] }))
        .then(taken);
    const dead = [withA, endedBy(dev), invalidBy({ by: dev, reason: 'context lost', session: 1 })];
    given(...dead)
      .when(startSession(dev, { handles: [toSession('a')] }))
      .then(taken);
  });

  test('finds the handles of its scope where they were', () => {
    given(startedOn(dev, { handles: [toScope('t')] }))
      .when(startSession(debug, { handles: [toScope('t')] }))
      .then(accepted('started', 'SessionSuperseded', 'SessionStarted'), handles({ t: 'scope' }));
  });

  test("is refused with another scope's handle, and nothing of it happens", () => {
    const kind = { handle: 'agent' };
    for (const binds of ['scope', 'session'] as const) {
      const asked = startSession(debug, { handles: [toScope('t'), { ...foreign, binds }] });
      given().when(asked).then(refused('handle-taken', kind));
      given(startedOn(dev)).when(asked).then(refused('handle-taken', kind));
    }
  });

  test('binds at most 8 to the session', () => {
    const eight = ['1', '2', '3', '4', '5', '6', '7', '8'].map(toSession);
    given()
      .when(startSession(dev, { handles: eight }))
      .then(accepted('started', 'SessionStarted'));
    given()
      .when(startSession(dev, { handles: [...eight, toSession('9')] }))
      .then(refused('too-many-handles'));
    given()
      .when(startSession(dev, { handles: [...eight, toScope('9')] }))
      .then(accepted('started', 'SessionStarted'));
  });
});

describe('a join', () => {
  test('binds to the scope whoever joins, without an event', () => {
    given(startedOn(dev))
      .when(startSession(debug, { onConflict: 'join', handles: [toScope('t')] }))
      .then(accepted('joined'), handles({ t: 'scope' }), current({ revision: 1 }));
  });

  test('binds to the session for its owner only', () => {
    const asked = { onConflict: 'join', handles: [toSession('a')] } as const;
    given(startedOn(dev))
      .when(startSession(dev, asked))
      .then(accepted('joined', 'HandleBound'), session({ handles: [handle('a')], epoch: 1, revision: 2 }));
    given(withA, supersededBy(dev))
      .when(startSession(dev, asked))
      .then(accepted('joined', 'HandleBound'), session({ handles: [handle('a')] }), handles({ a: 2 }));
    given(startedOn(dev)).when(startSession(debug, asked)).then(refused('not-owner'));
    given(withA, supersededBy(dev)).when(startSession(debug, asked)).then(refused('not-owner'));
    given(withA).when(startSession(debug, asked)).then(accepted('joined'), handles({}));
  });

  test('of a released session binds with the claim', () => {
    given(startedOn(dev), releasedBy(dev))
      .when(startSession(debug, { onConflict: 'join', handles: [toSession('a'), toScope('t')] }))
      .then(
        accepted('claimed', 'OwnershipClaimed'),
        session({ handles: [handle('a')] }),
        handles({ a: 1, t: 'scope' }),
      );
    given(withA, supersededBy(dev), releasedBy(dev))
      .when(startSession(debug, { onConflict: 'join', handles: [toSession('a')] }))
      .then(accepted('claimed', 'OwnershipClaimed'), handles({ a: 2 }));
  });

  test("is refused with another scope's handle", () => {
    given(startedOn(dev))
      .when(startSession(dev, { onConflict: 'join', handles: [{ ...foreign, binds: 'scope' }] }))
      .then(refused('handle-taken', { handle: 'agent' }));
  });
});

describe('a rotation', () => {
  test("gives the successor its own handle, and leaves the predecessor's where they are", () => {
    given(withA)
      .when(rotateSession({ by: dev, successorHandle: handle('b'), handles: [toScope('t')] }))
      .then(
        accepted('rotated', 'SessionRotated'),
        session({ handles: [handle('b')] }),
        event(0, { previous: { handles: [handle('a')] } }),
        handles({ b: 2, t: 'scope' }),
      );
    given(withA)
      .when(rotateSession({ by: dev }))
      .then(({ decision }) => expect(decision).not.toHaveProperty('session.handles'));
  });

  test("under the session's own handle takes it along; so do more of them, and again finds the successor", () => {
    const moved = { by: dev, successorHandle: handle('a') };
    given(withA)
      .when(rotateSession(moved))
      .then(
        accepted('rotated', 'SessionRotated'),
        session({ sessionId: 'session-2', handles: [handle('a')] }),
        event(0, { previous: { handles: [handle('a')], successorHandle: 'a', successorId: 'session-2' } }),
        handles({ a: 2 }),
      );
    given(withA, rotatedBy(dev, { successorHandle: handle('a') }))
      .when(rotateSession({ ...moved, session: 1 }))
      .then(accepted('already-rotated'), session({ sessionId: 'session-2' }));
    given(withA, rotatedBy(dev, { successorHandle: handle('a') }))
      .when(rotateSession(moved))
      .then(accepted('rotated', 'SessionRotated'), handles({ a: 3 }));
    given(startedOn(dev, { handles: [toSession('a'), toSession('b')] }))
      .when(rotateSession({ by: dev, successorHandle: handle('c'), handles: [toSession('b')] }))
      .then(session({ handles: [handle('c'), handle('b')] }), handles({ c: 2, b: 2 }));
    given(withA)
      .when(rotateSession({ by: dev, reason: 'reset', successorHandle: handle('a') }))
      .then(session({ chainLength: 1, handles: [handle('a')] }), handles({ a: 2 }));
  });

  test('to a handle of the past takes it along: who resumes an earlier session has its id again', () => {
    given(withA, rotatedBy(dev, { successorHandle: handle('b') }))
      .when(rotateSession({ by: dev, successorHandle: handle('a') }))
      .then(
        accepted('rotated', 'SessionRotated'),
        session({ handles: [handle('a')] }),
        event(0, { previous: { handles: [handle('b')], successorHandle: 'a' } }),
        handles({ a: 3 }),
      );
  });

  test("to a handle of another scope is refused, and so is the session's own for the scope", () => {
    const taken = refused('handle-taken', { handle: 'agent' });
    given(withA)
      .when(rotateSession({ by: dev, handles: [toScope('a')] }))
      .then(taken);
    given(withA)
      .when(rotateSession({ by: dev, successorHandle: foreign }))
      .then(taken);
  });

  test('to a handle that only its scope had makes it the successor’s', () => {
    given(startedOn(dev, { handles: [toScope('t')] }))
      .when(rotateSession({ by: dev, successorHandle: handle('t') }))
      .then(accepted('rotated', 'SessionRotated'), handles({ t: 2 }));
  });
});

describe('a change of handles', () => {
  test('binds to the session by an event, to the scope without one', () => {
    given(startedOn(dev))
      .when(changeHandles({ by: dev, bind: [toSession('a'), toScope('t'), toSession('b')] }))
      .then(
        accepted('changed', 'HandleBound', 'HandleBound'),
        session({ handles: [handle('a'), handle('b')], epoch: 1, revision: 3 }),
        handles({ a: 1, t: 'scope', b: 1 }),
      );
  });

  test('unbinds what the session or the scope has', () => {
    given(startedOn(dev, { handles: [toSession('a'), toScope('t')] }))
      .when(changeHandles({ by: dev, unbind: [handle('a'), handle('t')] }))
      .then(
        accepted('changed', 'HandleUnbound'),
        handles({ a: 'nothing', t: 'nothing' }),
        current({ revision: 2 }),
      );
  });

  test('takes over the handle of an earlier session of the scope, by an event', () => {
    given(withA, supersededBy(debug))
      .when(changeHandles({ by: debug, bind: [toSession('a')] }))
      .then(accepted('changed', 'HandleBound'), session({ handles: [handle('a')] }), handles({ a: 2 }));
  });

  test('leaves alone what is not theirs to unbind', () => {
    given(withA, supersededBy(debug))
      .when(changeHandles({ by: debug, unbind: [handle('a'), foreign, handle('never')] }))
      .then(accepted('unchanged'), handles({}));
  });

  test('of what is bound already changes nothing', () => {
    given(withA)
      .when(changeHandles({ by: dev, bind: [toSession('a')] }))
      .then(accepted('unchanged'), handles({}));
  });

  test("cannot take a handle, and does nothing if one of several is somebody's", () => {
    given(startedOn(dev))
      .when(changeHandles({ by: dev, bind: [toSession('a'), { ...foreign, binds: 'session' }] }))
      .then(refused('handle-taken', { handle: 'agent' }));
    given(withA)
      .when(changeHandles({ by: dev, bind: [toScope('a')] }))
      .then(refused('handle-taken', { handle: 'agent' }));
  });

  test('is the owner’s, under its epoch', () => {
    given(startedOn(dev))
      .when(changeHandles({ by: debug, bind: [toScope('t')] }))
      .then(refused('not-owner'));
    given(startedOn(dev), supersededBy(debug))
      .when(changeHandles({ by: dev, bind: [toScope('t')] }))
      .then(refused('stale-session'));
    given(startedOn(dev), releasedBy(dev))
      .when(changeHandles({ by: dev, epoch: 2, bind: [toScope('t')] }))
      .then(refused('not-owner'));
    given(startedOn(dev, { phase: 'starting' }), activatedBy(dev))
      .when(changeHandles({ by: dev, bind: [toScope('t')] }))
      .then(accepted('changed'));
  });
});

describe('a handle of another scope that has no current session', () => {
  const { hash } = idle;

  test('is free for whoever starts, joins, rotates or binds, to the scope or to the session', () => {
    for (const [name, to] of [[toScope(hash), 'scope'] as const, [toSession(hash), 1] as const]) {
      given()
        .when(startSession(dev, { handles: [name] }))
        .then(accepted('started', 'SessionStarted'), handles({ [hash]: to }));
      given(startedOn(dev))
        .when(startSession(dev, { onConflict: 'join', handles: [name] }))
        .then(handles({ [hash]: to }));
      given(startedOn(dev))
        .when(changeHandles({ by: dev, bind: [name] }))
        .then(handles({ [hash]: to }));
    }
    given(startedOn(dev))
      .when(rotateSession({ by: dev, successorHandle: idle }))
      .then(accepted('rotated', 'SessionRotated'), handles({ [hash]: 2 }));
  });

  test('can be unbound by whoever knows it, without an event', () => {
    given(startedOn(dev))
      .when(changeHandles({ by: dev, unbind: [idle] }))
      .then(accepted('changed'), handles({ [hash]: 'nothing' }));
  });
});

test('a claim by force keeps the handles of the session', () => {
  given(withA)
    .when(claimOwnership(debug, { force: true, operate: true }))
    .then(accepted('claimed', 'OwnershipClaimed'), session({ handles: [handle('a')] }));
});
