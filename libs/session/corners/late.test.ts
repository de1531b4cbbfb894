import {
  activateSession,
  changeAttributes,
  claimOwnership,
  draining,
  endedBy,
  endSession,
  given,
  handle,
  refused,
  releasedBy,
  releaseOwnership,
  renewLease,
  rotatedBy,
  rotateSession,
  startedOn,
  startSession,
  stopIgnored,
  supersededBy,
} from '../specification.js';

// What comes late or from a future. Each test names its row in the table of corners, in docs/commands.md.
const dev = 'cloud-dev';
const debug = 'cloud-debug';
const forced = { force: true, operate: true };

interface Late {
  session?: number;
  epoch?: number;
}

/** Every command that names a session, but the stop, as cloud-dev sends it. */
const commands = [
  { command: 'activate', ask: (late: Late) => activateSession({ by: dev, ...late }) },
  {
    command: 'rotate',
    ask: (late: Late) => rotateSession({ by: dev, successorHandle: handle('h'), ...late }),
  },
  { command: 'release', ask: (late: Late) => releaseOwnership({ by: dev, ...late }) },
  { command: 'claim', ask: (late: Late) => claimOwnership(dev, late) },
  { command: 'renew', ask: (late: Late) => renewLease({ by: dev, ...late }) },
  {
    command: 'attributes',
    ask: (late: Late) => changeAttributes({ by: dev, attributesDigest: 'x', ...late }),
  },
  { command: 'a forced claim', ask: (late: Late) => claimOwnership(dev, { ...late, ...forced }) },
];
const stops = [
  { command: 'end', ask: (late: Late) => endSession({ origin: dev, ...late }) },
  { command: 'a forced end', ask: (late: Late) => endSession({ origin: dev, ...late, ...forced }) },
];

describe.each(commands)('an ended session: $command', ({ ask }) => {
  test('commands.md#corner-13: is stale-session with the current one, when another is current', () => {
    given(startedOn(dev), supersededBy(debug))
      .when(ask({ session: 1 }))
      .then(refused('stale-session'));
    given(startedOn(dev), endedBy(dev), startedOn(dev))
      .when(ask({ session: 1 }))
      .then(refused('stale-session'));
  });

  test('commands.md#corner-13: is session-ended, when none is', () => {
    given(startedOn(dev), endedBy(dev))
      .when(ask({ session: 1 }))
      .then(refused('session-ended'));
    given(startedOn(dev), supersededBy(debug), endedBy(debug))
      .when(ask({ session: 1 }))
      .then(refused('session-ended'));
  });

  test('commands.md#corner-13: does not come back under the epoch of its end either', () => {
    given(startedOn(dev), endedBy(dev))
      .when(ask({ session: 1, epoch: 2 }))
      .then(refused('session-ended'));
    given(startedOn(dev), supersededBy(debug))
      .when(ask({ session: 1, epoch: 2 }))
      .then(refused('stale-session'));
  });
});

describe.each(stops)('an ended session: $command', ({ ask }) => {
  test('commands.md#corner-13: is stale-session with the current one and recorded, when another is current', () => {
    given(startedOn(dev), supersededBy(debug))
      .when(ask({ session: 1 }))
      .then(stopIgnored('superseded'));
  });

  test('commands.md#corner-13: is session-ended and recorded, when none is', () => {
    given(startedOn(dev), supersededBy(debug), endedBy(debug))
      .when(ask({ session: 1 }))
      .then(stopIgnored('superseded', 'session-ended'));
    given(startedOn(dev), endedBy(debug), endedBy(dev))
      .when(ask({ session: 1, epoch: 2 }))
      .then(stopIgnored('ended', 'session-ended'));
  });
});

describe.each([...commands, ...stops])('an epoch that the ledger does not know: $command', ({ ask }) => {
  test.each([
    { state: 'active', epoch: 2, steps: [startedOn(dev)] },
    { state: 'starting', epoch: 2, steps: [startedOn(dev, { phase: 'starting' as const })] },
    { state: 'released', epoch: 3, steps: [startedOn(dev), releasedBy(dev)] },
    { state: 'ending', epoch: 2, steps: [startedOn(dev), draining] },
    { state: 'ended', epoch: 3, steps: [startedOn(dev), endedBy(dev)] },
    { state: 'superseded', epoch: 3, steps: [startedOn(dev), supersededBy(debug)] },
    { state: 'rotated', epoch: 3, steps: [startedOn(dev), rotatedBy(dev, { successorHandle: handle('h') })] },
  ])('commands.md#corner-14: is future-epoch when the session is $state', ({ steps, epoch }) => {
    given(...steps)
      .when(ask({ session: 1, epoch }))
      .then(refused('future-epoch'));
    given(...steps)
      .when(ask({ session: 1, epoch: Number.MAX_SAFE_INTEGER }))
      .then(refused('future-epoch'));
  });
});

describe('an epoch that the ledger does not know: start', () => {
  test.each(['supersede', 'reject', 'join'] as const)(
    'commands.md#corner-14: %s is future-epoch',
    (onConflict) => {
      given()
        .when(startSession(dev, { onConflict, expectedEpoch: 1 }))
        .then(refused('future-epoch'));
      given(startedOn(dev))
        .when(startSession(debug, { onConflict, expectedEpoch: 2 }))
        .then(refused('future-epoch'));
      given(startedOn(dev), endedBy(dev))
        .when(startSession(debug, { onConflict, expectedEpoch: 3 }))
        .then(refused('future-epoch'));
    },
  );
});
