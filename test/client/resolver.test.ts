import {
  type CallSessions,
  isProblem,
  LedgerClient,
  type OwnedSession,
  SessionGuards,
  SessionMismatch,
  SessionReference,
  SessionResolver,
} from '#client';
import { currentContext, withSession } from '../../libs/client/node.js';
import { openTestLedger } from '../../libs/log/testing/ledger.js';
import { newPlace, sessionOf, start } from '../../libs/log/testing/submissions.js';
import { callPaths } from '../support/call-paths.js';
import { startProxy } from '../support/proxy.js';
import { type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';

let service: Service;
/** Of another process: what it holds is not known here. */
let other: LedgerClient;
let ledger: LedgerClient;
let resolver: SessionResolver;
let asked = 0;
beforeAll(async () => {
  service = await startService();
  other = new LedgerClient({ url: service.url });
  ledger = new LedgerClient({
    url: service.url,
    fetch: (input, init) => {
      if (String(input).endsWith('/v1/resolve')) asked += 1;
      return fetch(input, init);
    },
  });
  const automatic = () => ledger.start({ userId: newUser(), owner: cloudDev });
  resolver = new SessionResolver({ ledger, context: currentContext, automatic });
});
beforeEach(() => {
  asked = 0;
});
afterAll(() => {
  ledger.close();
  other.close();
});

const handleOf = (session: OwnedSession) => ({ kind: 'transport', value: `of ${session.view.scope.userId}` });
const startBy = (client: LedgerClient) => {
  const userId = newUser();
  const handles = [{ ...handleOf({ view: { scope: { userId } } } as OwnedSession), binds: 'scope' as const }];
  return client.start({ userId, owner: cloudDev, handles, lease: { seconds: 60 } });
};
const nameOf = ({ sessionId, epoch }: OwnedSession) => ({ sessionId, epoch });
const failed = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => (isProblem(error) ? [error.code, error.current?.sessionId] : error),
  );

test('a name is the same in upper case, as some runtimes write it', async () => {
  const mine = await startBy(ledger);
  const upper = { sessionId: mine.sessionId.toUpperCase(), epoch: mine.epoch };
  expect(ledger.holds(upper)).toBe(true);
  expect(await ledger.guard(upper.sessionId, ({ sessionId }) => sessionId)).toBe(mine.sessionId);
  const references = [resolver.refer(nameOf(mine), 'something')];
  expect(await resolver.resolve({ option: { session: upper }, references })).toMatchObject(nameOf(mine));
  const reference = SessionReference.parse({
    session: upper,
    realm: { ledger: service.url, tenant: 'default' },
  });
  expect(reference.session).toEqual(nameOf(mine));
  const guards = new SessionGuards<string>();
  guards.add(upper.sessionId, 'mine');
  expect(await guards.guard(mine.sessionId, (resource) => resource)).toBe('mine');
  expect([guards.remove(mine.sessionId), guards.size, asked]).toEqual(['mine', 0, 0]);
});

describe.each(Object.entries(callPaths))('a call by %s', (_, path) => {
  test('means what the ledger says, and only what it has to say is asked for', async () => {
    const [mine, theirs] = await Promise.all([startBy(ledger), startBy(other)]);
    const refer = (session: OwnedSession) => resolver.refer(session, 'target');
    const ask = async (call: CallSessions, context?: OwnedSession) => {
      const before = asked;
      const answer = await failed(
        (context ? withSession(context, () => path(resolver, call)) : path(resolver, call)).then((found) => {
          throw found;
        }),
      );
      return [answer, asked > before];
    };
    const found = (session: OwnedSession, source: string) => ({ ...nameOf(session), source });
    const mismatch = expect.any(SessionMismatch);

    // What this process holds is known here.
    expect(await ask({ references: [refer(mine)] }, mine)).toEqual([found(mine, 'reference'), false]);
    expect(await ask({ option: { session: mine, override: true } }, theirs)).toEqual([
      found(mine, 'option'),
      false,
    ]);
    expect(await ask({ references: [refer(mine)] }, theirs)).toEqual([mismatch, false]);
    // What another one does is not; nor is what a handle means.
    expect(await ask({ references: [refer(theirs)] })).toEqual([found(theirs, 'reference'), true]);
    expect(await ask({ option: { session: handleOf(theirs) } }, theirs)).toEqual([
      found(theirs, 'option'),
      true,
    ]);
    expect(await ask({ references: [handleOf(mine)] }, theirs)).toEqual([mismatch, true]);
    expect(await ask({ option: { session: handleOf(theirs), override: true } }, mine)).toEqual([
      found(theirs, 'option'),
      true,
    ]);
    const madeUp = resolver.refer({ ...nameOf(mine), epoch: 99 }, 'target');
    expect(await ask({ references: [madeUp] })).toEqual([['future-epoch', mine.sessionId], true]);
    const unbound = { kind: 'transport', value: 'nobody' };
    expect(await ask({ option: { session: unbound } }, mine)).toEqual([found(mine, 'context'), true]);
    expect(await ask({ option: { session: unbound } })).toEqual([['unknown-handle', undefined], true]);

    // What is not current any more is refused, with what is.
    const next = await other.start({ userId: mine.view.scope.userId, owner: cloudDebug });
    const old = refer(theirs);
    await theirs.rotate({ reason: 'build' });
    await new Promise((resolve) => mine.onLost(resolve));
    expect(await ask({}, mine)).toEqual([['stale-session', next.sessionId], true]);
    expect(await ask({ references: [old] })).toEqual([['stale-session', theirs.sessionId], true]);
  });
});

test('a reference under an epoch that is over is stale, one that the ledger has not reached is refused', async () => {
  const session = await startBy(other);
  const old = resolver.refer(session, 'target');
  await session.release();
  const taken = await other.claim({ ...nameOf(session), owner: cloudDebug });
  expect(await failed(resolver.open(old))).toEqual(['stale-epoch', taken.sessionId]);
  expect(await resolver.open(resolver.refer(taken, 'target'))).toBe('target');
  const ahead = resolver.refer({ sessionId: taken.sessionId, epoch: 99 }, 'target');
  expect(await failed(resolver.open(ahead))).toEqual(['future-epoch', taken.sessionId]);
  await taken.end({ reason: 'done' });
  expect(await failed(resolver.open(resolver.refer(taken, 'target')))).toEqual(['session-ended', undefined]);
});

test('a handle means what the ledger has bound it to, a while later something else', async () => {
  const session = await startBy(other);
  const handle = handleOf(session);
  expect(await resolver.resolve({ references: [handle] })).toMatchObject(nameOf(session));
  await session.rotate({ reason: 'build' });
  expect(await resolver.resolve({ references: [handle, handle] })).toMatchObject(nameOf(session));
  expect(asked).toBe(2);
});

test('the automatic session costs no question', async () => {
  for (let calls = 0; calls < 3; calls++) expect((await resolver.resolve()).source).toBe('automatic');
  expect(asked).toBe(0);
});

test('a reference of another tenant is refused here, and by the ledger when it claims to be of this one', async () => {
  const database = await openTestLedger(16, { url: service.databaseUrl });
  const { sessionId, epoch } = sessionOf(await database.writer().submit(start(newPlace(16))));
  const realm = { ledger: service.url, tenant: 'acme' };
  const theirs = new SessionReference({ sessionId, epoch }, realm, 'treasure');
  expect(await failed(resolver.open(theirs))).toBeInstanceOf(SessionMismatch);
  expect(asked).toBe(0);
  const forged = SessionReference.parse({
    session: { sessionId, epoch },
    realm: { ...realm, tenant: 'default' },
  });
  expect(await failed(resolver.open(forged))).toEqual(['unknown-session', undefined]);
  expect(await failed(ledger.end(sessionId, { epoch, origin: cloudDev, reason: 'not mine' }))).toEqual([
    'unknown-session',
    undefined,
  ]);
  await database.close();
});

test('a ledger that is away is an error, not a guess; what is held here is known all the same', async () => {
  const target = { host: '127.0.0.1', port: Number(new URL(service.url).port) };
  const proxy = await startProxy({ target });
  const client = new LedgerClient({ url: `http://${proxy.address}`, deadlineMs: 300, attemptMs: 100 });
  const away = new SessionResolver({ ledger: client });
  const [mine, theirs] = await Promise.all([startBy(client), startBy(other)]);
  proxy.cut();
  expect(await away.open(away.refer(mine, 'target'))).toBe('target');
  await expect(away.open(away.refer(theirs, 'target'))).rejects.toMatchObject({ name: 'NoAnswer' });
  client.close();
  await proxy.close();
});

test('a handle needs a ledger, and at most 16 names are asked for', async () => {
  const local = new SessionResolver({ realm: { ledger: service.url } });
  const many = Array.from({ length: 17 }, (_, number) => ({ kind: 'transport', value: `${number}` }));
  await expect(local.resolve({ references: many.slice(0, 1) })).rejects.toBeInstanceOf(TypeError);
  await expect(resolver.resolve({ references: many })).rejects.toBeInstanceOf(RangeError);
});
