import { setTimeout as pause } from 'node:timers/promises';
import type { Session } from '#session';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import {
  debug,
  end,
  forSession,
  keyed,
  newPlace,
  rotate,
  sessionOf,
  start,
  withAttributes,
} from '../log/testing/submissions.js';
import {
  eventsOf,
  leaseOf,
  openReplica,
  type Replica,
  startLeased,
  terms,
  untilEvent,
} from './testing/leases.js';

let ledger: TestLedger;
let replica: Replica;
beforeAll(async () => {
  ledger = await openTestLedger();
  replica = openReplica(ledger);
  replica.startReaper();
});
afterEach(async () => {
  expect(await brokenPromises(ledger.pool)).toEqual([]);
  expect(replica.faults).toEqual([]);
});
afterAll(async () => {
  await replica.close();
  await ledger.close();
});

const typesOf = async (session: Session) => (await eventsOf(ledger, session)).map(({ type }) => type);

describe('what was released under a policy', () => {
  const policy = { endReleasedAfterSeconds: 1 };

  test('expires within a second after its time, and has a row until then', async () => {
    const session = sessionOf(await replica.submit(start(newPlace(ledger.partitions), { policy })));
    expect(await leaseOf(ledger, session)).toBeUndefined();
    const released = sessionOf(await replica.submit(forSession(session, { type: 'ReleaseOwnership' })));
    expect(await leaseOf(ledger, session)).toMatchObject({ epoch: 2, renewable: false });
    const expired = await untilEvent(ledger, session, 'SessionExpired', 3_000);
    const late = Date.parse(expired.at) - Date.parse(released.expiresAt ?? '');
    expect([late >= 0, late < 1_000]).toEqual([true, true]);
    expect(await leaseOf(ledger, session)).toBeUndefined();
  });

  test('and was claimed before has no end any more', async () => {
    const session = sessionOf(await replica.submit(start(newPlace(ledger.partitions), { policy })));
    const released = sessionOf(await replica.submit(forSession(session, { type: 'ReleaseOwnership' })));
    await replica.submit(forSession(released, { type: 'ClaimOwnership', owner: debug }));
    expect(await leaseOf(ledger, session)).toBeUndefined();
  });
});

describe('a lease', () => {
  test('goes on for as long as it is renewed, and no renewal is an event', async () => {
    const session = await startLeased(replica, ledger);
    for (let renewals = 0; renewals < 3; renewals++) {
      await pause(500);
      const began = Date.now();
      const { until } = (await replica.renew(session)) as { until: string };
      expect(Date.parse(until)).toBeGreaterThanOrEqual(began + 1_000 - 2);
      expect((await leaseOf(ledger, session))?.until.toISOString()).toBe(until);
    }
    expect(await typesOf(session)).toEqual(['SessionStarted']);
  });

  test('that is renewed under its epoch and others at once is renewed under its own alone', async () => {
    const session = await startLeased(replica, ledger);
    const { epoch } = session;
    const asked = [epoch + 1, epoch, epoch - 1].map((epoch) => replica.renew({ ...session, epoch }));
    expect(await Promise.all(asked)).toEqual([
      { refused: 'future-epoch' },
      { until: expect.anything() },
      { refused: 'stale-epoch' },
    ]);
  });

  test('that nobody renews lapses within a second, and its grace ends within another', async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => startLeased(replica, ledger)));
    const delays: number[] = [];
    for (const session of sessions) {
      const lapsed = await untilEvent(ledger, session, 'OwnershipLapsed', 3_000);
      delays.push(Date.parse(lapsed.at) - Date.parse(session.startedAt) - 1_000);
      expect(lapsed.event).toMatchObject({ session: { status: 'released', epoch: 2 } });
      const expired = await untilEvent(ledger, session, 'SessionExpired', 3_000);
      delays.push(Date.parse(expired.at) - Date.parse(lapsed.at) - 1_000);
      expect(await leaseOf(ledger, session)).toBeUndefined();
    }
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThan(1_000);
  });

  test('that has lapsed cannot be renewed under its epoch, only claimed and renewed under the next', async () => {
    const session = await startLeased(replica, ledger, { graceSeconds: 60 });
    const lapsed = await untilEvent(ledger, session, 'OwnershipLapsed', 3_000);
    expect(await replica.renew(session)).toEqual({ refused: 'stale-epoch' });
    expect(await replica.renew({ ...session, epoch: 2 })).toEqual({ refused: 'not-owner' });
    const claim = forSession({ ...session, epoch: 2 }, { type: 'ClaimOwnership', owner: session.owner! });
    const claimed = sessionOf(await replica.submit(claim));
    expect(claimed.epoch).toBe(3);
    const row = await leaseOf(ledger, claimed);
    expect(await replica.renew(session)).toEqual({ refused: 'stale-epoch' });
    expect(await leaseOf(ledger, claimed)).toEqual(row);
    const renewed = (await replica.renew(claimed)) as { until: string };
    expect(Date.parse(renewed.until)).toBeGreaterThan(Date.parse(lapsed.at) + 1_000);
  });

  test('is found over by a command before the reaper, and the command told so', async () => {
    const session = await startLeased(replica, ledger, { graceSeconds: 60 });
    await pause(1_000);
    const late = forSession(session, { type: 'ActivateSession' });
    expect(await replica.submit(late)).toMatchObject({
      kind: 'refused',
      refusal: { code: 'stale-epoch', current: { status: 'released', epoch: 2 } },
    });
    expect(await typesOf(session)).toEqual(['SessionStarted', 'OwnershipLapsed']);
  });
});

test('a renewal that comes after the end, and before anybody has seen it, is too late', async () => {
  const sessions = await Promise.all(
    Array.from({ length: 20 }, () => startLeased(replica, ledger, { graceSeconds: 60 })),
  );
  const renewals = sessions.map(async (session) => {
    await pause(Date.parse(session.startedAt) + 1_002 - Date.now());
    return replica.renew(session);
  });
  expect(await Promise.all(renewals)).toEqual(sessions.map(() => ({ refused: 'stale-epoch' })));
});

test('a start that comes after the end, and before anybody has seen it, finds the session without owner', async () => {
  const places = Array.from({ length: 20 }, () => newPlace(ledger.partitions));
  const joins = places.map(async (place) => {
    const session = await startLeased(replica, ledger, { graceSeconds: 60 }, place);
    await pause(Date.parse(session.startedAt) + 1_002 - Date.now());
    return replica.submit(start(place, { onConflict: 'join' }));
  });
  expect(await Promise.all(joins)).toMatchObject(places.map(() => ({ outcome: 'claimed' })));
});

describe('the row of a lease', () => {
  const leased = () => startLeased(replica, ledger, { seconds: 60 });
  const rowOf = (session: Session) => leaseOf(ledger, session);

  test('goes when the session ends, is superseded or released', async () => {
    const place = newPlace(ledger.partitions);
    const [ended, released] = [await leased(), await leased()];
    const superseded = await startLeased(replica, ledger, { seconds: 60 }, place);
    expect(await rowOf(superseded)).toMatchObject({ epoch: 1, renewable: true });
    await replica.submit(end(ended));
    await replica.submit(forSession(released, { type: 'ReleaseOwnership' }));
    const next = sessionOf(await replica.submit(start(place, { owner: debug, ...terms({ seconds: 30 }) })));
    for (const gone of [ended, released, superseded]) expect(await rowOf(gone)).toBeUndefined();
    expect(await rowOf(next)).toMatchObject({ epoch: 2, renewable: true });
  });

  test('moves to the successor, also within one batch', async () => {
    const session = await leased();
    const successor = sessionOf(await replica.submit(rotate(session)));
    expect([await rowOf(session), await rowOf(successor)]).toMatchObject([undefined, { epoch: 2 }]);
    const place = newPlace(ledger.partitions);
    const [first, second] = await Promise.all([
      replica.submit(start(place, terms({ seconds: 60 }))),
      replica.submit(start(place, terms({ seconds: 60 }))),
    ]);
    expect(await rowOf(sessionOf(first))).toBeUndefined();
    expect(await rowOf(sessionOf(second))).toMatchObject({ epoch: 2 });
  });

  test('is the drain while the session is ending, and no renewal moves that', async () => {
    const session = await leased();
    const drained = sessionOf(await replica.submit(end(session, { drainSeconds: 1 })));
    const row = { until: new Date(drained.drainUntil!), renewable: false };
    expect(await rowOf(session)).toMatchObject(row);
    expect(await replica.renew(session)).toEqual({ refused: 'session-ending' });
    expect(await rowOf(session)).toMatchObject(row);
    const ended = await untilEvent(ledger, session, 'SessionEnded', 3_000);
    expect(ended.event).toMatchObject({ session: { endCause: 'ended' }, origin: session.owner });
  });

  test('stays as it is when its batch is rolled back', async () => {
    const place = newPlace(ledger.partitions);
    const session = await startLeased(replica, ledger, { seconds: 60 }, place);
    const before = await rowOf(session);
    const broken = withAttributes(start(place), 'a NUL: \u0000');
    await expect(replica.submit(broken)).rejects.toMatchObject({ code: 'rejected' });
    expect(replica.faults.splice(0)).toHaveLength(1);
    expect(await rowOf(session)).toEqual(before);
    expect(await replica.renew(session)).toHaveProperty('until');
  });
});

test('what came too late does not take the key of what it was asked with', async () => {
  const session = await startLeased(replica, ledger, { renewOn: 'use', graceSeconds: 60 });
  await pause(1_000);
  const touch = keyed(forSession(session, { type: 'TouchSession' }), 'touch');
  const first = await replica.submit(touch);
  expect(first).toMatchObject({ kind: 'accepted', outcome: 'unchanged', session: { status: 'released' } });
  expect(await typesOf(session)).toEqual(['SessionStarted', 'OwnershipLapsed']);
  expect(await replica.submit(touch)).toEqual(first);
});

test('patches that share a batch are merged one after the other', async () => {
  const session = sessionOf(
    await replica.submit(withAttributes(start(newPlace(ledger.partitions)), '{"zero":0}')),
  );
  const patch = (name: string) => ({
    ...forSession(session, { type: 'ChangeAttributes', attributesDigest: undefined }),
    patch: { [name]: 1 },
  });
  const answers = await Promise.all(['one', 'two', 'three'].map((name) => replica.submit(patch(name))));
  expect(answers).toMatchObject(answers.map(() => ({ outcome: 'changed' })));
  const { attributesDigest } = sessionOf(answers[2]!);
  const { rows } = await ledger.pool.query('select body from ledger.details where digest = $1', [
    attributesDigest,
  ]);
  expect(JSON.parse(rows[0].body)).toEqual({ zero: 0, one: 1, two: 1, three: 1 });
});
