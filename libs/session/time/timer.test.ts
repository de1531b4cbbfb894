import { EVENT_TYPES, type SessionEvent } from '../events.js';
import { type Session, STATUSES } from '../session.js';
import { at, lease } from '../specification.js';
import { startsTimer, timerOf } from './timer.js';

const session: Session = {
  sessionId: 'session-1',
  scope: { userId: 'user-1', projectId: 'default' },
  status: 'active',
  epoch: 1,
  revision: 1,
  owner: { environment: 'cloud-dev' },
  principal: 'cloud-dev',
  rootId: 'session-1',
  chainLength: 1,
  startedAt: at(0),
};

test.each(STATUSES)('nothing happens by time alone to a session without lease that is %s', (status) => {
  expect(timerOf({ ...session, status }, at(0))).toBeUndefined();
});

test.each(['starting', 'active'] as const)(
  'a lease counts from the last sign of life while it is %s',
  (status) => {
    expect(timerOf({ ...session, status, ...lease() }, at(7))).toEqual({
      until: at(17),
      seconds: 10,
      renewable: true,
    });
  },
);

test.each(['released', 'ending', 'ended'] as const)('a lease does not count while it is %s', (status) => {
  expect(timerOf({ ...session, status, ...lease() }, at(7))).toBeUndefined();
});

test('a grace and a drain have an end that no renewal moves', () => {
  const lapsed = {
    ...session,
    ...lease(),
    policy: { endReleasedAfterSeconds: 99 },
    status: 'released',
    reservedUntil: at(15),
    expiresAt: at(15),
  } as const;
  expect(timerOf(lapsed, at(99))).toEqual({ until: at(15), seconds: 10, renewable: false });
  const ending = { ...session, ...lease(), status: 'ending', drainUntil: at(30) } as const;
  expect(timerOf(ending, at(9.5))).toEqual({ until: at(30), seconds: 21, renewable: false });
  expect(timerOf(ending, at(99))).toEqual({ until: at(30), seconds: 1, renewable: false });
});

test('what was released has an end where its policy gives it one', () => {
  const released = { ...session, ...lease(), status: 'released' } as const;
  expect(timerOf(released, at(9))).toBeUndefined();
  const policy = { endReleasedAfterSeconds: 99 };
  const left = { ...released, policy, expiresAt: at(100) };
  expect(timerOf(left, at(50))).toEqual({ until: at(100), seconds: 99, renewable: false });
  const reserved = { ...left, reservedUntil: at(1), reservedSeconds: 1 };
  // Put off after an outage for as long as the reservation is, and then as long as the policy says.
  expect(timerOf(reserved, at(50))).toEqual({ until: at(100), seconds: 100, renewable: false });
  const longest = { ...reserved, policy: { endReleasedAfterSeconds: 2_592_000 } };
  expect(timerOf(longest, at(50))?.seconds).toBe(2_592_000);
});

test('the longest lease has an end, too', () => {
  const thirtyDays = lease({ seconds: 2_592_000 });
  expect(timerOf({ ...session, ...thirtyDays }, at(0))?.until).toBe('2026-01-31T00:00:00.000Z');
});

test('only what anybody may cause, or what changes nothing, leaves the timer as it is', () => {
  const kept = EVENT_TYPES.filter((type) => !startsTimer({ type } as SessionEvent));
  expect(kept).toEqual([
    'DetailsErased',
    'StopIgnored',
    'UsageRecorded',
    'CheckpointMarked',
    'InvalidReported',
  ]);
});
