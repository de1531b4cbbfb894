import type { Lease } from '#client';
import { STATUSES } from '#session';
import { bothLedgers, type Ledger, Transcript } from '../support/both-ledgers.js';
import { commandBodies, type SessionCommand, takesEpoch } from '../support/command-bodies.js';
import { cloudDebug, cloudDev } from '../support/sessions.js';

/** The table of corners in docs/commands.md, asked of both ledgers: every command in every state. */

type Body = Record<string, unknown>;
/** What commands name, and under which epoch it should be named. */
interface Named {
  sessionId: string;
  epoch: number;
}

const start = (t: Transcript, userId: string, more: Body = {}) =>
  t
    .ask('startSession', { body: { userId, owner: cloudDev, ...more } })
    .then(({ body: { session } }) => session as Named);
const command = (t: Transcript, id: SessionCommand, { sessionId, epoch }: Named, body: Body) =>
  t.ask(id, { params: { sessionId }, body: takesEpoch(id) ? { epoch, ...body } : body } as never);
const release = (t: Transcript, named: Named, more: Body = {}) => command(t, 'releaseOwnership', named, more);
const end = (t: Transcript, named: Named, more: Body = {}) =>
  command(t, 'endSession', named, { origin: cloudDev, reason: 'done', ...more });

/** Each leads to a state, and tells what the commands should name. */
const states: Record<string, (t: Transcript, userId: string) => Promise<Named>> = {
  active: (t, userId) => start(t, userId, { lease: { seconds: 600 } }),
  starting: (t, userId) => start(t, userId, { phase: 'starting' }),
  'an instance of another': (t, userId) => start(t, userId, { owner: { ...cloudDebug, instance: 'i' } }),
  'idle by use': (t, userId) => start(t, userId, { lease: { seconds: 600, renewOn: 'use' } }),
  released: async (t, userId) => {
    const named = await start(t, userId);
    return (await release(t, named)).body.session;
  },
  reserved: async (t, userId) => {
    const named = await start(t, userId);
    return (await release(t, named, { to: cloudDebug, reservedSeconds: 600 })).body.session;
  },
  ending: async (t, userId) => {
    const named = await start(t, userId);
    return (await end(t, named, { drainSeconds: 600 })).body.session;
  },
  ended: async (t, userId) => {
    const named = await start(t, userId);
    await end(t, named);
    return named;
  },
  superseded: async (t, userId) => {
    const named = await start(t, userId);
    await start(t, userId, { owner: cloudDebug });
    return named;
  },
  rotated: async (t, userId) => {
    const named = await start(t, userId);
    const successorHandle = { kind: 'provider', value: `first ${userId}` };
    await command(t, 'rotateSession', named, { reason: 'build', successorHandle });
    return named;
  },
  reset: async (t, userId) => {
    const named = await start(t, userId, { policy: { maxChainLength: 3, adviseAt: 1 } });
    await command(t, 'rotateSession', named, { reason: 'reset' });
    return named;
  },
  full: async (t, userId) => start(t, userId, { policy: { maxChainLength: 1 } }),
  recovered: async (t, userId) => {
    const root = await start(t, userId);
    const named = (await command(t, 'rotateSession', root, { reason: 'build' })).body.session;
    await command(t, 'reportInvalid', named, { certainty: 'definite', reason: 'gone' });
    return named;
  },
};

const commands = Object.entries(commandBodies).flatMap(([id, bodies]) =>
  bodies.map((bodyOf) => [id as SessionCommand, bodyOf] as const),
);
const starts: Body[] = [
  {},
  { onConflict: 'join' },
  { onConflict: 'join', owner: cloudDebug },
  { onConflict: 'reject', owner: cloudDebug },
  { expectedEpoch: 0 },
  { expectedEpoch: 99 },
  { fromCheckpoint: 'nowhere' },
];

/** What a scope is like in the end, and how it came to be. */
async function look(t: Transcript, userId: string, { sessionId }: Named): Promise<void> {
  await t.ask('session', { params: { sessionId } });
  await t.ask('scopeEvents', { query: { userId } });
}

let ledgers: Ledger[];
beforeAll(async () => {
  ledgers = await bothLedgers();
});

/** Every question is a scope of its own; they are asked at once, so positions are not compared. */
async function askAll(
  ledger: Ledger,
  state: string,
  questions: ((t: Transcript, userId: string) => Promise<unknown>)[],
) {
  const transcripts = questions.map(async (question, index) => {
    const t = new Transcript(ledger, undefined, false);
    await question(t, `${state} ${index}`);
    return t.lines;
  });
  return Promise.all(transcripts);
}

test.each(Object.entries(states))('every command when the session is %s', async (state, lead) => {
  const asked = commands.flatMap(([id, bodyOf]) =>
    (takesEpoch(id) ? [0, -1, 50] : [0]).map((off) => async (t: Transcript, userId: string) => {
      const { sessionId, epoch } = await lead(t, userId);
      for (let times = 0; times < 2; times++) {
        await command(t, id, { sessionId, epoch: Math.max(0, epoch + off) }, bodyOf(userId));
      }
      await look(t, userId, { sessionId, epoch });
    }),
  );
  const begun = starts.map((body) => async (t: Transcript, userId: string) => {
    const named = await lead(t, userId);
    await start(t, userId, body).catch(() => {}); // the refusal is told
    await look(t, userId, named);
  });
  const [service, memory] = await Promise.all(
    ledgers.map((ledger) => askAll(ledger, state, [...asked, ...begun])),
  );
  expect(service).toHaveLength(asked.length + starts.length);
  for (const [index, lines] of service!.entries()) expect(memory![index]).toEqual(lines);
});

test('the states are of every status', async () => {
  const [, memory] = ledgers as [Ledger, Ledger];
  const reached = Object.values(states).map(async (lead, index) => {
    const t = new Transcript(memory);
    const { sessionId } = await lead(t, `status ${index}`);
    return (await t.ask('session', { params: { sessionId } })).body.status;
  });
  expect(new Set(await Promise.all(reached))).toEqual(new Set(STATUSES));
});

test('a command that names a session which nobody knows', async () => {
  const sessionId = '01920000-0000-7003-8000-000000000000';
  const transcripts = ledgers.map(async (ledger) => {
    const t = new Transcript(ledger);
    for (const [id, bodyOf] of commands) await command(t, id, { sessionId, epoch: 1 }, bodyOf('nobody'));
    await t.ask('session', { params: { sessionId } });
    return t.lines;
  });
  const [service, memory] = await Promise.all(transcripts);
  expect(memory).toEqual(service);
});

test('what time brings about', async () => {
  /** With the last revision that time brings about. */
  const leases: [Lease, last: number][] = [
    [{ seconds: 1, graceSeconds: 1 }, 3],
    [{ seconds: 1, graceSeconds: 600, renewOn: 'use' }, 2],
    [{ seconds: 1, onLapse: 'end' }, 2],
  ];
  const ask = async (ledger: Ledger, [lease, last]: (typeof leases)[number], index: number) => {
    const t = new Transcript(ledger, undefined, false);
    const userId = `lapses ${index}`;
    const { body } = await t.ask('startSession', { body: { userId, owner: cloudDev, lease } });
    const { sessionId, epoch } = body.session;
    for (let revision = 1; revision < last; revision++) {
      ledger.advance(1);
      await new Transcript(ledger).ask('currentSession', { query: { userId, wait: 20, after: revision } });
    }
    await command(t, 'renewLease', { sessionId, epoch }, {});
    await command(t, 'endSession', { sessionId, epoch }, { origin: cloudDev, reason: 'late' });
    await look(t, userId, { sessionId, epoch });
    return t.lines;
  };
  const [service, memory] = await Promise.all(
    ledgers.map((ledger) => Promise.all(leases.map((lease, index) => ask(ledger, lease, index)))),
  );
  expect(memory).toEqual(service);
});

test('what a policy ends after it was released', async () => {
  const policy = { endReleasedAfterSeconds: 1 };
  const [service, memory] = await Promise.all(
    ledgers.map(async (ledger) => {
      const t = new Transcript(ledger, undefined, false);
      const userId = 'ends when released';
      const { sessionId } = await start(t, userId, { policy });
      const successor = await command(t, 'rotateSession', { sessionId, epoch: 1 }, { reason: 'build' });
      const { session } = (await release(t, successor.body.session)).body;
      expect(session).toHaveProperty('expiresAt');
      ledger.advance(1);
      const query = { userId, wait: 20, after: session.revision };
      const { body } = await t.ask('currentSession', { query });
      expect(body).toMatchObject({ last: { sessionId: session.sessionId, endCause: 'expired' } });
      await look(t, userId, session);
      return t.lines;
    }),
  );
  expect(memory).toEqual(service);
});
