import { CurrentReplica, type FollowedEvent, Follower, LedgerClient } from '#client';
import { MemoryLedger } from '#memory-ledger';
import { clientCases, runCase } from '../support/client-cases.js';
import { startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';

/** What a client may rely on, whoever stands behind it: the service, or the ledger that users test with. */
const ledgers: Record<string, () => Promise<() => LedgerClient>> = {
  'the service': async () => {
    const { url } = await startService();
    return () => new LedgerClient({ url });
  },
  'the ledger in memory': async () => {
    const memory = new MemoryLedger();
    return () => memory.client();
  },
};

/** What the first ledger answered: the others have to answer the same. */
let firstLife: unknown;

describe.each(Object.entries(ledgers))('%s', (_, open) => {
  let one: LedgerClient;
  let two: LedgerClient;
  beforeAll(async () => {
    const connect = await open();
    one = connect();
    two = connect();
  });
  afterAll(() => {
    one.close();
    two.close();
  });

  const start = (more: object = {}, userId = newUser()) => one.start({ userId, owner: cloudDev, ...more });
  /** What is the same on both: no ids, no times. */
  const shape = (value: unknown) =>
    JSON.parse(
      JSON.stringify(value, (name, inner) =>
        /Id$|At$|Until$|Digest$|Handle$|^hash$/.test(name) && typeof inner === 'string' ? '…' : inner,
      ),
    );

  test.each(clientCases)('$name', ({ steps }) => runCase(steps, { one, two }));

  test('starts, activates, rotates, changes, releases, claims and ends a session', async () => {
    const userId = newUser();
    const seen: unknown[] = [];
    const lease = { seconds: 60 };
    const session = await start({ phase: 'starting', lease, attributes: { a: { b: 1 }, c: 2 } }, userId);
    seen.push(shape(session.view));
    for (const ask of [
      () => session.activate(),
      () => session.activate(),
      () => session.changeAttributes({ a: { b: null }, d: [1] }),
      () => session.changeAttributes({ d: [1] }),
      () =>
        session.rotate({ reason: 'build', versionId: 'v1', successorHandle: { kind: 'ai', value: 'abc' } }),
      () => session.release({ to: cloudDebug, reservedSeconds: 30 }),
    ]) {
      const { outcome, session: after } = await ask();
      seen.push([outcome, shape(after)]);
    }
    const claimed = await two.claim({
      sessionId: session.sessionId,
      epoch: session.epoch,
      owner: cloudDebug,
    });
    seen.push(shape(claimed.view));
    seen.push(shape((await claimed.end({ reason: 'done' })).session));
    const life = JSON.parse(JSON.stringify(seen).replaceAll(userId, 'user'));
    firstLife ??= life;
    expect(life).toEqual(firstLife);
    expect(await one.current({ userId })).toBeUndefined();
    const types: string[] = [];
    for await (const event of one.history({ userId })) types.push(event.type.split('.')[1] as string);
    expect(types).toEqual([
      'SessionStarted',
      'SessionActivated',
      'AttributesChanged',
      'SessionRotated',
      'OwnershipReleased',
      'OwnershipClaimed',
      'SessionEnded',
    ]);
  });

  test('joins: one session for all who ask at once', async () => {
    const userId = newUser();
    const joins = await Promise.all(Array.from({ length: 20 }, () => one.join({ userId, owner: cloudDev })));
    expect(new Set(joins.map(({ session }) => session.sessionId)).size).toBe(1);
    expect(joins.filter(({ outcome }) => outcome === 'started')).toHaveLength(1);
  });

  test('is followed and mirrored', async () => {
    const seen: FollowedEvent[] = [];
    const follower = new Follower({
      ledger: one,
      from: 'beginning',
      onEvents: (batch) => void seen.push(...batch),
      onStopped: () => {},
    });
    const replica = await CurrentReplica.open({ ledger: two });
    try {
      const userId = newUser();
      const { session, position } = await one.call('startSession', { body: { userId, owner: cloudDev } });
      await replica.reached(position);
      expect(replica.current({ userId })).toMatchObject({ sessionId: session.sessionId, status: 'active' });
      while (!seen.some((event) => event.session?.sessionId === session.sessionId)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      for (const [partition, sequence] of follower.positions) {
        const mine = seen.filter((event) => event.partition === partition).map((event) => event.sequence);
        // What is being handled just now is seen, and its position is not passed yet.
        expect(mine).toEqual(Array.from({ length: mine.length }, (_, index) => index + 1));
        expect(mine.length).toBeGreaterThanOrEqual(sequence);
      }
    } finally {
      await Promise.all([follower.stop(), replica.close()]);
    }
  });
});

test('the ledger in memory lets time pass, and goes down, when it is told to', async () => {
  const memory = new MemoryLedger();
  const ledger = memory.client({ deadlineMs: 200 });
  const body = { userId: 'ada', owner: cloudDev, lease: { seconds: 60, graceSeconds: 60 } };
  const { session } = await ledger.call('startSession', { body });
  memory.advance(61);
  expect(await ledger.session(session.sessionId)).toMatchObject({ status: 'released' });
  memory.advance(60);
  expect(await ledger.session(session.sessionId)).toMatchObject({ endCause: 'expired' });
  memory.isDown = true;
  await expect(ledger.current({ userId: 'ada' })).rejects.toMatchObject({ name: 'NoAnswer' });
  memory.isDown = false;
  expect(await ledger.current({ userId: 'ada' })).toBeUndefined();
});
