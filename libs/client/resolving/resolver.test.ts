import { callPaths } from '../../../test/support/call-paths.js';
import { currentContext, withSession } from '../node.js';
import { type Realm, type SessionName, SessionReference } from './reference.js';
import { type CallSessions, SessionMismatch, SessionResolver } from './resolver.js';

const realm: Realm = { ledger: 'http://ledger.test' };
const A: SessionName = { sessionId: 'a', epoch: 3 };
const B: SessionName = { sessionId: 'b', epoch: 7 };
const own: SessionName = { sessionId: 'own', epoch: 1 };
const resolver = new SessionResolver({ realm, context: currentContext, automatic: async () => own });
const refer = (session: SessionName) => resolver.refer(session, `of ${session.sessionId}`);
const failed = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

const choices = [undefined, A, B];
const options = [
  undefined,
  { session: A },
  { session: B },
  { session: A, override: true },
  { session: B, override: true },
];
const cases = options.flatMap((option) =>
  choices.flatMap((reference) => choices.map((context) => ({ option, reference, context }))),
);

describe.each(Object.entries(callPaths))('a call by %s', (_, path) => {
  test.each(cases)(
    'option $option, reference $reference, context $context',
    async ({ option, reference, context }) => {
      const call: CallSessions = { option, references: reference ? [refer(reference)] : [] };
      const answer = context ? withSession(context, () => path(resolver, call)) : path(resolver, call);
      const said = [option?.session, reference, context].filter((one) => one !== undefined);
      const agreed = said.every((one) => one === said[0]);
      if (said.length === 0) expect(await answer).toEqual({ ...own, source: 'automatic' });
      else if (agreed || option?.override) expect(await answer).toMatchObject(said[0] as SessionName);
      else expect(await failed(answer)).toMatchObject({ code: 'session-mismatch' });
    },
  );
});

test('an option overrides a reference and a context only when it says so', async () => {
  const call = (override: boolean) => ({ option: { session: A, override }, references: [refer(B)] });
  expect(await withSession(B, () => resolver.resolve(call(true)))).toEqual({ ...A, source: 'option' });
  expect(await failed(resolver.resolve(call(false)))).toBeInstanceOf(SessionMismatch);
});

test('a context counts before the automatic session, follows asynchronous calls, and ends with them', async () => {
  await withSession(A, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await resolver.resolve()).toEqual({ ...A, source: 'context' });
    expect(await withSession(B, () => resolver.resolve())).toMatchObject(B);
    expect(await resolver.resolve()).toMatchObject(A);
  });
  expect((await resolver.resolve()).source).toBe('automatic');
  const both = [A, B].map((session) =>
    withSession(session, async () => {
      for (let turns = 0; turns < 50; turns++) {
        await new Promise((resolve) => setImmediate(resolve));
        expect(await resolver.resolve()).toMatchObject(session);
      }
    }),
  );
  await Promise.all(both);
});

describe('a reference', () => {
  test('is opened in its own session only, also when the option overrides', async () => {
    expect(await withSession(A, () => resolver.open(refer(A)))).toBe('of a');
    expect(await resolver.open(refer(A))).toBe('of a');
    for (const override of [false, true]) {
      const error = await failed(resolver.open(refer(A), { option: { session: B, override } }));
      expect(error).toBeInstanceOf(SessionMismatch);
    }
    expect(await failed(withSession(B, () => resolver.open(refer(A))))).toBeInstanceOf(SessionMismatch);
  });

  test('under an epoch that is over is refused', async () => {
    const old = refer({ ...A, epoch: 2 });
    expect(await failed(withSession(A, () => resolver.open(old)))).toMatchObject({
      message: expect.stringContaining('another epoch'),
    });
  });

  test.each([{ ledger: 'http://other.test' }, { ...realm, tenant: 'other' }])(
    'of %j is refused, whatever overrides',
    async (elsewhere) => {
      const reference = new SessionReference(A, elsewhere, 'treasure');
      for (const call of [{}, { option: { session: A, override: true } }]) {
        const error = await failed(withSession(A, () => resolver.open(reference, call)));
        expect(error).toBeInstanceOf(SessionMismatch);
      }
    },
  );

  test('shows its target to nobody', () => {
    const text = JSON.stringify(refer(A)) + Object.values(refer(A)).map(String);
    expect(text).not.toContain('of a');
    expect(JSON.parse(JSON.stringify(refer(A)))).toEqual({
      session: A,
      realm: { ...realm, tenant: 'default' },
    });
  });

  test.each([
    undefined,
    null,
    'a',
    {},
    { session: A },
    { session: { sessionId: 'a' }, realm },
    { session: { ...A, epoch: 1.5 }, realm },
  ])('is not %j', (value) => {
    expect(() => SessionReference.parse(value)).toThrow('not a reference');
  });

  test('never leaks to another session, however calls interleave', async () => {
    const sessions = Array.from({ length: 20 }, (_, number) => ({ sessionId: `s${number}`, epoch: 1 }));
    const references = sessions.map(refer);
    let opened = 0;
    await Promise.all(
      sessions.map((session) =>
        withSession(session, async () => {
          for (const [number, reference] of references.entries()) {
            await new Promise((resolve) => setImmediate(resolve));
            const target = await resolver.open(reference).catch(() => undefined);
            expect(target).toBe(sessions[number] === session ? `of ${session.sessionId}` : undefined);
            opened += target ? 1 : 0;
          }
        }),
      ),
    );
    expect(opened).toBe(20);
  });
});

describe('the automatic session', () => {
  test('is started once, also by calls that come at once; after a failure again', async () => {
    let starts = 0;
    const lazy = new SessionResolver({
      realm,
      automatic: async () => {
        starts += 1;
        if (starts === 1) throw new Error('no ledger yet');
        return own;
      },
    });
    expect((await Promise.allSettled([lazy.resolve(), lazy.resolve()])).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ]);
    expect(await Promise.all([lazy.resolve(), lazy.resolve()])).toEqual([
      { ...own, source: 'automatic' },
      { ...own, source: 'automatic' },
    ]);
    expect(starts).toBe(2);
  });

  test('is not there unless it was asked for', async () => {
    expect((await failed(new SessionResolver({ realm }).resolve())).message).toContain('no automatic one');
  });
});

test('a mismatch tells a program who named what, and a log no ids', async () => {
  const error = await failed(
    withSession({ sessionId: 'secret-1', epoch: 1 }, () =>
      resolver.resolve({ references: [refer({ sessionId: 'secret-2', epoch: 1 })] }),
    ),
  );
  expect((error as SessionMismatch).candidates.map(({ source }) => source)).toEqual(['reference', 'context']);
  const { inspect } = await import('node:util');
  expect(inspect(error) + JSON.stringify(error)).not.toContain('secret');
});
