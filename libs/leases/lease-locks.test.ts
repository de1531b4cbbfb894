import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { partitionOfSession, type Session } from '#session';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { forSession, newPlace, placeOf, rotate, start } from '../log/testing/submissions.js';
import { eventsOf, leaseOf, openReplica, type Replica, startLeased } from './testing/leases.js';

// Who waits for whom: renewals lock leases only, commands lock heads and then leases.
let ledger: TestLedger;
let replica: Replica;
beforeAll(async () => {
  ledger = await openTestLedger();
  replica = openReplica(ledger);
  replica.startReaper(); // without it nothing is ever over
});
afterEach(async () => {
  expect(await brokenPromises(ledger.pool)).toEqual([]);
  expect(replica.faults).toEqual([]);
});
afterAll(async () => {
  await replica.close();
  await ledger.close();
});

/** Another connection that holds locks until it commits. */
async function holding(text: string, values: unknown[] = []): Promise<pg.Client> {
  const holder = new pg.Client({ connectionString: ledger.database.url });
  await holder.connect();
  await holder.query('begin');
  await holder.query(text, values);
  return holder;
}

async function release(holder: pg.Client): Promise<void> {
  await holder.query('commit');
  await holder.end();
}

const holdLease = ({ sessionId }: Session) =>
  holding('select 1 from ledger.leases where session_id = $1 for update', [sessionId]);

/** So many sessions of one partition, by their ids: the order in which leases are locked. */
async function sorted(count: number, seconds: number): Promise<Session[]> {
  const start = () => startLeased(replica, ledger, { seconds }, newPlace(ledger.partitions, 1));
  const sessions = await Promise.all(Array.from({ length: count }, start));
  return sessions.sort((one, other) => (one.sessionId < other.sessionId ? -1 : 1));
}

const touched = (session: Session) =>
  replica.submit(forSession(session, { type: 'ChangeAttributes', attributesDigest: `d${session.epoch}` }));

test('a batch and a renewer that want the same leases never wait for each other in a circle', async () => {
  const [first, second] = (await sorted(2, 60)) as [Session, Session];
  const holder = await holdLease(first);
  const renewals = Promise.all([replica.renew(second), replica.renew(first)]);
  await pause(100); // the renewer waits for the first, and would then want the second
  const commands = Promise.all([replica.submit(rotate(second)), replica.submit(rotate(first))]);
  await pause(100);
  await release(holder);
  expect(await commands).toMatchObject([{ outcome: 'rotated' }, { outcome: 'rotated' }]);
  await renewals; // they may have come before or after
});

describe('neither when one of the leases is over', () => {
  const rotated = (session: Session) => replica.submit(rotate(session));
  const started = ({ scope }: Session) => replica.submit(start(placeOf(ledger.partitions, scope.userId)));
  const commands = {
    'and commands name the sessions': [rotated, { refusal: { code: 'stale-epoch' } }, { outcome: 'rotated' }],
    'and commands name the scopes': [started, { outcome: 'started' }, { outcome: 'started' }],
  } as const;
  test.each(Object.entries(commands))('%s', async (_, [send, ...expected]) => {
    const [first] = (await sorted(1, 60)) as [Session];
    const [over] = (await sorted(1, 1)) as [Session]; // a later id: locked after the first
    expect(over.sessionId > first.sessionId).toBe(true);
    await replica.renew(over);
    const holder = await holdLease(first);
    const renewals = Promise.all([replica.renew(over), replica.renew(first)]);
    await pause(50);
    const blocked = await holdLease(over);
    await pause(1_000); // over by now, and neither the reaper nor a renewal comes through
    const answers = Promise.all([send(over), send(first)]);
    await pause(100);
    await release(blocked);
    await pause(100);
    await release(holder);
    expect(await answers).toMatchObject(expected);
    await renewals;
  });
});

test('a lease that was renewed while a command waited for it is not shortened', async () => {
  const [session] = (await sorted(1, 60)) as [Session];
  const holder = await holdLease(session);
  const change = touched(session); // has read the clock, and waits for the lease
  await pause(300);
  const { rows } = await holder.query(
    `update ledger.leases set until = clock_timestamp() + interval '60 seconds'
      where session_id = $1 returning until`,
    [session.sessionId],
  );
  await release(holder);
  expect(await change).toMatchObject({ outcome: 'changed' });
  expect((await leaseOf(ledger, session))?.until).toEqual(rows[0].until);
});

test('a command that was under way when the lease ended has it lapse after its end, not before', async () => {
  const session = await startLeased(replica, ledger, { graceSeconds: 60 });
  await pause(800);
  // The command has the head and its time, but cannot look at the scope yet.
  const holder = await holding('lock table ledger.scopes in access exclusive mode');
  const late = replica.submit(forSession(session, { type: 'ActivateSession' }));
  await pause(500);
  await release(holder);
  expect(await late).toMatchObject({ refusal: { code: 'stale-epoch' } });
  const lapsed = (await eventsOf(ledger, session)).find(({ type }) => type === 'OwnershipLapsed');
  expect(Date.parse(lapsed?.at ?? '') - Date.parse(session.startedAt)).toBeGreaterThanOrEqual(1_000);
});

test('a renewal that came in time and is committed after the end wins over a command that came after it', async () => {
  const session = await startLeased(replica, ledger, { graceSeconds: 60 });
  await pause(700);
  const renewal = await holding(
    `update ledger.leases set until = clock_timestamp() + interval '1 second' where session_id = $1`,
    [session.sessionId],
  );
  await pause(500); // its end as everybody can see it is over, and the reaper asks, too
  const command = replica.submit(forSession(session, { type: 'ActivateSession' }));
  await pause(100);
  await release(renewal);
  expect(await command).toMatchObject({ kind: 'accepted', outcome: 'unchanged' });
  expect(await eventsOf(ledger, session)).toHaveLength(1);
});

test('commands of one batch that find a lease over have it lapse once, and none of them ends its grace', async () => {
  const session = await startLeased(replica, ledger, { graceSeconds: 60 });
  const holder = await holding('select from ledger.heads where partition = $1 for update', [
    partitionOfSession(session.sessionId),
  ]);
  const late = Promise.all(
    [1, 2, 3].map(() => replica.submit(forSession(session, { type: 'ActivateSession' }))),
  );
  await pause(1_300); // the lease ends while they wait, and who sees it waits behind them
  await release(holder);
  const refused = { refusal: { code: 'stale-epoch', current: { status: 'released' } } };
  expect(await late).toMatchObject([refused, refused, refused]);
  const types = (await eventsOf(ledger, session)).map(({ type }) => type);
  expect(types).toEqual(['SessionStarted', 'OwnershipLapsed']);
});
