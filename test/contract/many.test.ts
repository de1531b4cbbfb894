import { bothLedgers, type Ledger, type Told, Transcript } from '../support/both-ledgers.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';

/** Many commands, or many questions, in one request: told to both ledgers, word by word the same. */

let ledgers: Ledger[];
beforeAll(async () => {
  ledgers = await bothLedgers();
});

async function both(story: (t: Transcript, userId: string) => Promise<void>): Promise<void> {
  const userId = newUser();
  const told = [];
  for (const ledger of ledgers) {
    // Of scopes that are asked for at once, nobody says which comes first.
    const t = new Transcript(ledger, new Set(), false);
    await story(t, userId);
    told.push(t.lines);
  }
  expect(told[1]).toEqual(told[0]);
}

const send = async (t: Transcript, ...commands: object[]): Promise<Told['body'][]> =>
  (await t.ask('sendCommands', { body: { commands } as never })).body.answers;
const codes = (answers: Told['body'][]) =>
  answers.map(({ outcome, type }) => outcome ?? type.replace('/problems/', ''));
const start = (userId: string, more: object = {}) => ({
  operation: 'startSession',
  body: { userId, owner: cloudDev, ...more },
});

test('each is answered as by itself, in the order given; one that is wrong spoils nothing', () =>
  both(async (t, userId) => {
    const [first] = await send(t, start(userId));
    const { sessionId } = first.session;
    const end = (epoch: number) => ({
      operation: 'endSession',
      sessionId,
      body: { epoch, origin: cloudDev, reason: 'done' },
    });
    const answers = await send(
      t,
      { operation: 'activateSession', sessionId, body: { epoch: 1 } },
      start(userId, { owner: cloudDebug }),
      end(1),
      { operation: 'currentSession', body: { userId } },
      { operation: 'toString' },
      { operation: 'endSession', sessionId: 'no id', body: {} },
      { operation: 'endSession', sessionId, body: { epoch: 'one', origin: cloudDev, reason: 'done' } },
      { operation: 'endSession', sessionId },
      { operation: 'endSession', body: { epoch: 1, origin: cloudDev, reason: 'done' } },
      { ...start(userId), sessionId },
      { operation: 'releaseOwnership', sessionId, body: { epoch: 1, reservedSeconds: 3 } },
      { ...end(1), idempotencyKey: '' },
      { ...start(userId), idempotencyKey: 'k'.repeat(257) },
      start(`${userId}-other`, { onConflict: 'join' }),
    );
    expect(codes(answers)).toEqual([
      ...['unchanged', 'started', 'stale-session', 'invalid-request', 'invalid-request', 'invalid-request'],
      ...['invalid-request', 'invalid-request', 'invalid-request', 'invalid-request', 'invalid-request'],
      ...['invalid-request', 'invalid-request', 'started'],
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      ...[200, 201, 409],
      ...Array.from({ length: 10 }, () => 400),
      201,
    ]);
    expect(answers[3].detail).toBe('commands.3.operation cannot be sent in a list');
    expect(answers[6].detail).toMatch(/^commands\.6\.body\.epoch has to be/);
    expect(answers[8].detail).toBe('commands.8.sessionId is missing');
    expect(answers[2].current.sessionId).toBe(answers[1].session.sessionId);
  }));

test('of two commands for a session with the epoch of the first, the second is refused', () =>
  both(async (t, userId) => {
    const [{ session }] = await send(t, start(userId));
    const release = {
      operation: 'releaseOwnership',
      sessionId: session.sessionId,
      body: { epoch: 1, owner: cloudDev },
    };
    const claim = {
      operation: 'claimOwnership',
      sessionId: session.sessionId,
      body: { epoch: 1, owner: cloudDebug },
    };
    expect(codes(await send(t, release, claim))).toEqual(['released', 'stale-epoch']);
  }));

test('a key counts as by itself: twice in a list, later again, and for another request', () =>
  both(async (t, userId) => {
    const keyed = { ...start(userId), idempotencyKey: `key of ${userId}` };
    const other = { ...start(userId, { owner: cloudDebug }), idempotencyKey: keyed.idempotencyKey };
    const [first, again, reused] = await send(t, keyed, keyed, other);
    expect(first.outcome).toBe('started');
    expect([again.session.sessionId, again.replayed]).toEqual([first.session.sessionId, true]);
    expect([reused.status, reused.type]).toEqual([422, '/problems/key-reused']);
    const headers = { 'idempotency-key': keyed.idempotencyKey };
    const alone = await t.ask('startSession', { body: keyed.body, headers } as never);
    expect(alone.body.session.sessionId).toBe(first.session.sessionId);
  }));

test('a list that is repeated by its key repeats its commands, also those without one of their own', () =>
  both(async (t, userId) => {
    const own = { ...start(`${userId}-own`), idempotencyKey: `own of ${userId}` };
    const body = { commands: [start(userId), own, start(`${userId}-2`)] } as never;
    const headers = { 'idempotency-key': 'l'.repeat(256 - userId.length) + userId };
    const sessions = [];
    for (let time = 0; time < 2; time++) {
      const { answers } = (await t.ask('sendCommands', { body, headers })).body;
      expect(codes(answers)).toEqual(['started', 'started', 'started']);
      expect(answers.map(({ replayed }: { replayed?: true }) => replayed === true)).toEqual(
        Array(3).fill(time === 1),
      );
      sessions.push(answers.map(({ session }: Told['body']) => session.sessionId));
    }
    expect(sessions[1]).toEqual(sessions[0]);
    const other = { commands: [start(userId, { owner: cloudDebug })] } as never;
    expect(codes((await t.ask('sendCommands', { body: other, headers })).body.answers)).toEqual([
      'key-reused',
    ]);
  }));

test('a list that is none is refused as a whole', () =>
  both(async (t, userId) => {
    const statuses = [];
    const bodies = [{ commands: [] }, { commands: Array.from({ length: 501 }, () => start(userId)) }];
    const more = [{}, { commands: {} }, { commands: [start(userId), null] }, { commands: [{ body: {} }] }];
    for (const body of [...bodies, ...more, { commands: [{ ...start(userId), more: 1 }] }])
      statuses.push((await t.ask('sendCommands', { body: body as never })).status);
    expect(statuses).toEqual([400, 400, 400, 400, 400, 400, 400]);
    const large = { commands: [start(userId, { attributes: { text: 'x'.repeat(1 << 20) } })] };
    expect((await t.ask('sendCommands', { body: large as never })).status).toBe(413);
    expect((await t.ask('currentSession', { query: { userId } })).status).toBe(404);
  }));

test('a list whose every item is wrong is answered item by item', () =>
  both(async (t, userId) => {
    const { sessionId } = (await send(t, start(userId)))[0].session;
    const wrong = [
      { operation: 'noSuchOperation', body: {} },
      { operation: 'startSession', body: { userId: '', owner: cloudDev } },
      { operation: 'endSession', sessionId, body: { epoch: 1 } },
      { operation: 'endSession', sessionId: 'none', body: { epoch: 1, origin: cloudDev, reason: 'done' } },
    ];
    const answers = await send(t, ...Array.from({ length: 125 }, () => wrong).flat());
    expect(codes(answers)).toEqual(Array.from({ length: 500 }, () => 'invalid-request'));
    expect((await t.ask('currentSession', { query: { userId } })).body.epoch).toBe(1);
  }));

test('a list of exactly 1 MiB is taken, one of a byte more is not', () =>
  both(async (t, userId) => {
    const headers = { 'content-type': 'application/json' };
    for (const [bytes, status] of [
      [1 << 20, 200],
      [(1 << 20) + 1, 413],
    ] as const) {
      const text = JSON.stringify({ commands: [start(`${userId}-${status}`)] }).padEnd(bytes);
      const told = await t.raw('/v1/commands', { method: 'POST', headers, body: text });
      expect(told.status).toBe(status);
    }
    expect((await t.ask('currentSession', { query: { userId: `${userId}-413` } })).status).toBe(404);
  }));

test('of what is current nobody asks for nothing, or for more than five hundred', () =>
  both(async (t, userId) => {
    const statuses = [];
    for (const count of [0, 1, 500, 501]) {
      const of = Array.from({ length: count }, (_, index) => ({ userId: `${userId}.${index}` }));
      statuses.push((await t.ask('currentSessions', { body: { of } as never })).status);
    }
    expect(statuses).toEqual([400, 200, 200, 400]);
  }));

test('five hundred starts at once are one each', () =>
  both(async (t, userId) => {
    const quiet = new Transcript(t.ledger);
    const answers = await send(
      quiet,
      ...Array.from({ length: 500 }, (_, index) => start(`${userId}.${index}`)),
    );
    expect(codes(answers)).toEqual(Array.from({ length: 500 }, () => 'started'));
    expect(answers.map(({ session }) => session.scope.userId)).toEqual(
      Array.from({ length: 500 }, (_, index) => `${userId}.${index}`),
    );
  }));

test('what is current is told of scopes, sessions and handles, one answer each', () =>
  both(async (t, userId) => {
    const handle = { kind: 'transport', value: `t of ${userId}`, binds: 'scope' };
    const [one, , ended] = await send(
      t,
      start(userId, { handles: [handle] }),
      start(userId, { projectId: 'site' }),
      start(`${userId}-gone`),
    );
    const { sessionId } = ended.session;
    await send(t, {
      operation: 'endSession',
      sessionId,
      body: { epoch: 1, origin: cloudDev, reason: 'done' },
    });
    const of = [
      { userId },
      { userId, projectId: 'site' },
      { userId: `${userId}-never` },
      { userId: `${userId}-gone` },
      { sessionId: one.session.sessionId },
      { sessionId },
      { sessionId: '01920000-0000-7003-8000-000000000000' },
      { kind: 'transport', value: handle.value },
      { kind: 'transport', value: 'nobody has it' },
    ];
    const { answers } = (await t.ask('currentSessions', { body: { of } as never })).body;
    expect(
      answers.map(({ status, type = '' }: { status: number; type?: string }) => `${status} ${type}`),
    ).toEqual([
      ...['200 ', '200 ', '404 /problems/no-current-session', '404 /problems/no-current-session', '200 '],
      ...['404 /problems/no-current-session', '404 /problems/unknown-session', '200 '],
      '404 /problems/unknown-handle',
    ]);
    expect(answers[7].session.sessionId).toBe(one.session.sessionId);
    expect(answers[3].last.sessionId).toBe(sessionId);
  }));
