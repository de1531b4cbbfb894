import type { Submission } from '#api';
import type { Session } from '#session';
import { History, type LedgerWriter } from './index.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { brokenPromises } from './testing/promises.js';
import { readLog } from './testing/stored-log.js';
import {
  again,
  dev,
  forSession,
  keyed,
  markCheckpoint,
  newPlace,
  type Place,
  recordUsage,
  reportInvalid,
  rotate,
  sessionOf,
  start,
} from './testing/submissions.js';

// Usage, recovery and checkpoints through Postgres.
let ledger: TestLedger;
let writer: LedgerWriter;
let place: Place;
beforeAll(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
});
beforeEach(() => {
  place = newPlace(ledger.partitions);
});
afterEach(async () => expect(await brokenPromises(ledger.pool)).toEqual([]));
afterAll(() => ledger.close());

const cost = { amount: '0.1', currency: 'EUR' };
const usage = { inputTokens: 5, cost };
const submit = (submission: Submission) => writer.submit({ ...submission });
/** Commands that arrive together share one transaction. */
const inOneBatch = (...submissions: Submission[]) => Promise.all(submissions.map(submit));
const typesOf = async () => (await readLog(ledger.pool, place.scopeKey)).map(({ type }) => type);
const found = async ({ sessionId }: Session) =>
  (await new History(ledger.pool).session(sessionId, 'acme'))?.session;

/** A chain of so many sessions, the oldest first. */
async function chain(length: number): Promise<[Session, ...Session[]]> {
  const sessions: [Session, ...Session[]] = [sessionOf(await submit(start(place)))];
  while (sessions.length < length) sessions.push(sessionOf(await submit(rotate(sessions.at(-1)!))));
  return sessions;
}

describe('usage', () => {
  test('with a key counts once: in one batch, later, from another replica, also when its session has ended', async () => {
    const [first] = await chain(1);
    const sent = keyed(recordUsage(first, usage), 'k');
    const [recorded, repeated] = await inOneBatch(sent, again(sent));
    expect(recorded).toMatchObject({ outcome: 'recorded', session: { usage: { operations: 1 } } });
    expect(repeated).toEqual({ ...recorded, replayed: true });
    const current = sessionOf(await submit(rotate(sessionOf(recorded!))));
    const late = keyed(recordUsage(first, usage), 'late');
    const answer = await submit(late);
    expect(answer).toMatchObject({
      session: { status: 'ended', usage: { operations: 2, cost: { EUR: '0.2' } } },
    });
    for (const replica of [writer, ledger.writer()]) {
      expect(await replica.submit(again(sent))).toEqual({ ...recorded, current, replayed: true });
      expect(await replica.submit(again(late))).toEqual({ ...answer, current, replayed: true });
    }
    expect(await found(first)).toMatchObject({ usage: { operations: 2, inputTokens: 10 } });
  });

  test('without a key counts every time, within one batch, too', async () => {
    const [first] = await chain(1);
    await inOneBatch(...Array.from({ length: 20 }, () => recordUsage(first, usage)));
    expect(await found(first)).toMatchObject({
      usage: { operations: 20, inputTokens: 100, cost: { EUR: '2' } },
    });
  });

  test('that a rotation brings is replayed with it, at the same position', async () => {
    const [first] = await chain(1);
    const sent = keyed(rotate(first, { usage }), 'k');
    const answer = await submit(sent);
    expect(answer).toMatchObject({ outcome: 'rotated', session: { chainLength: 2 } });
    expect(await submit(again(sent))).toEqual({ ...answer, replayed: true });
    expect(await typesOf()).toEqual(['SessionStarted', 'UsageRecorded', 'SessionRotated']);
    expect(await found(first)).toMatchObject({
      endCause: 'rotated',
      usage: { operations: 1, cost: { EUR: '0.1' } },
    });
  });

  test('before, with and after a rotation of the same batch is all kept', async () => {
    const [first] = await chain(1);
    await inOneBatch(
      recordUsage(first, usage),
      rotate(first, { usage, epoch: 1 }),
      recordUsage(first, usage),
    );
    expect(await found(first)).toMatchObject({
      endCause: 'rotated',
      usage: { operations: 3, cost: { EUR: '0.3' } },
    });
    expect(await typesOf()).toEqual([
      'SessionStarted',
      'UsageRecorded',
      'UsageRecorded',
      'SessionRotated',
      'UsageRecorded',
    ]);
  });

  test('of an ended session does not hide who followed it', async () => {
    const [first] = await chain(1);
    const rotation = rotate(first, { successorHandle: { kind: 'agent', hash: first.sessionId } });
    const second = sessionOf(await submit(rotation));
    await submit(rotate(second));
    const [, repeated] = await inOneBatch(recordUsage(first, usage), again(rotation));
    expect(repeated).toMatchObject({ outcome: 'already-rotated', session: { sessionId: second.sessionId } });
  });

  test('leaves the lease as it is', async () => {
    const lease = { seconds: 60, graceSeconds: 60, renewOn: 'heartbeat', onLapse: 'release' } as const;
    const session = sessionOf(await submit(start(place, { lease })));
    const read = async () =>
      (await ledger.pool.query('select * from ledger.leases where session_id = $1', [session.sessionId]))
        .rows;
    const before = await read();
    expect(before).toHaveLength(1);
    await submit(recordUsage(session, usage));
    await submit(markCheckpoint(session, 'v1'));
    await submit(reportInvalid(session, { certainty: 'transient' }));
    expect(await read()).toEqual(before);
  });
});

describe('a recovery', () => {
  test('goes back to the latest valid session, and is the same whenever it is asked for again', async () => {
    const [, second, third] = await chain(3);
    const sent = keyed(reportInvalid(third!), 'k');
    const answer = await submit(sent);
    expect(answer).toMatchObject({
      outcome: 'recovered',
      session: { recoveredFrom: second!.sessionId, parentId: third!.sessionId, owner: dev, chainLength: 4 },
    });
    expect(await submit(again(sent))).toEqual({ ...answer, replayed: true });
    const without = await ledger.writer().submit(reportInvalid(third!));
    expect(without).toMatchObject({ outcome: 'already-recovered', session: sessionOf(answer) });
    expect(await found(third!)).toMatchObject({ endCause: 'invalid', invalid: { reason: 'context lost' } });
    await submit(rotate(sessionOf(answer)));
    expect(await submit(reportInvalid(third!))).toMatchObject({
      outcome: 'already-recovered',
      session: { sessionId: sessionOf(answer).sessionId, endCause: 'rotated' },
      current: { chainLength: 5 },
    });
  });

  test('happens once, however many replicas are asked at once', async () => {
    const [, second] = await chain(2);
    const replicas = [writer, ledger.writer(), ledger.writer()];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => replicas[index % 3]!.submit(reportInvalid(second!))),
    );
    expect(new Set(answers.map((answer) => sessionOf(answer).sessionId)).size).toBe(1);
    expect(await typesOf()).toEqual([
      'SessionStarted',
      'SessionRotated',
      'SessionInvalidated',
      'SessionStarted',
    ]);
  });

  test('knows what the same batch has reported before', async () => {
    const [first, second, third, fourth] = await chain(4);
    const [, marked, recovered] = await inOneBatch(
      reportInvalid(third!),
      reportInvalid(second!),
      reportInvalid(fourth!),
    );
    expect(marked).toMatchObject({ outcome: 'marked-invalid', current: { sessionId: fourth!.sessionId } });
    expect(recovered).toMatchObject({ outcome: 'recovered', session: { recoveredFrom: first.sessionId } });
  });

  test('passes by what was reported in earlier batches', async () => {
    const [first, second, third, fourth] = await chain(4);
    await submit(reportInvalid(second!));
    const recovered = sessionOf(await submit(reportInvalid(fourth!)));
    expect(recovered.recoveredFrom).toBe(third!.sessionId);
    await submit(reportInvalid(third!));
    expect(sessionOf(await submit(reportInvalid(recovered))).recoveredFrom).toBe(first.sessionId);
  });

  test('looks back no further than 100 sessions', async () => {
    const sessions = await chain(103);
    const [current, ...past] = sessions.toReversed();
    await inOneBatch(...past.slice(0, 99).map((session) => reportInvalid(session)));
    const recovered = await submit(reportInvalid(current!));
    expect(recovered).toMatchObject({
      outcome: 'recovered',
      session: { recoveredFrom: past[99]!.sessionId },
    });

    place = newPlace(ledger.partitions);
    const [last, ...others] = (await chain(103)).toReversed();
    await inOneBatch(...others.slice(0, 100).map((session) => reportInvalid(session)));
    const sent = keyed(reportInvalid(last!), 'k');
    const fresh = await submit(sent);
    expect(fresh).toMatchObject({ outcome: 'started-fresh', session: { chainLength: 1 } });
    expect(await submit(again(sent))).toEqual({ ...fresh, replayed: true });
  });

  test('hands its lease on', async () => {
    const lease = { seconds: 60, graceSeconds: 60, renewOn: 'heartbeat', onLapse: 'release' } as const;
    const session = sessionOf(await submit(start(place, { lease })));
    const recovered = sessionOf(await submit(reportInvalid(session)));
    const { rows } = await ledger.pool.query(
      'select session_id, epoch from ledger.leases where session_id = any($1)',
      [[session.sessionId, recovered.sessionId]],
    );
    expect(rows).toEqual([{ session_id: recovered.sessionId, epoch: 2 }]);
  });

  test('of another tenant’s session is of an unknown one', async () => {
    const [first] = await chain(1);
    for (const one of [reportInvalid(first), recordUsage(first, usage), markCheckpoint(first, 'v1')])
      expect(await submit({ ...one, tenant: 'other' })).toEqual({ kind: 'unknown-session' });
  });
});

test('a transient failure is recorded once and counted, in one batch and later', async () => {
  const [first] = await chain(1);
  const report = () => reportInvalid(first, { certainty: 'transient', reason: 'overloaded' });
  const sent = keyed(report(), 'k');
  const answers = [...(await inOneBatch(sent, report(), report())), await submit(report())];
  expect(answers).toMatchObject(answers.map(() => ({ outcome: 'reported', retryAfter: 5 })));
  expect(await submit(again(sent))).toEqual({ ...answers[0], replayed: true });
  expect(await typesOf()).toEqual(['SessionStarted', 'InvalidReported']);
  const { rows } = await ledger.pool.query(
    `select i.count from ledger.ignored_stops i join ledger.events using (partition, sequence) where scope_key = $1`,
    [place.scopeKey],
  );
  expect(rows).toEqual([{ count: 4 }]);
});

describe('a checkpoint', () => {
  const checkpoints = () => new History(ledger.pool).checkpoints(place.partition, place.scopeKey);

  test('is found by its label, whatever that is made of', async () => {
    const [first] = await chain(1);
    const labels = ['v1', '"},{NULL', "'); drop table x; --", '\\ 🚲', ' v1'];
    for (const label of labels) await submit(markCheckpoint(first, label));
    expect((await checkpoints()).map(({ label }) => label)).toEqual(labels);
    for (const label of labels) {
      const started = sessionOf(await submit(start(place, { fromCheckpoint: label })));
      expect(started).toMatchObject({ recoveredFrom: first.sessionId, fromCheckpoint: label });
    }
    expect(await submit(start(place, { fromCheckpoint: 'V1' }))).toMatchObject({
      refusal: { code: 'unknown-checkpoint' },
    });
  });

  test('is known to the batch that marks it, and marked once', async () => {
    const [first] = await chain(1);
    const sent = keyed(markCheckpoint(first, 'v1'), 'k');
    const [marked, repeated, taken, started] = await inOneBatch(
      sent,
      again(sent),
      forSession(first, { type: 'MarkCheckpoint', label: 'v1' }),
      start(place, { fromCheckpoint: 'v1' }),
    );
    expect(marked).toMatchObject({ outcome: 'marked' });
    expect(repeated).toEqual({ ...marked, replayed: true });
    expect(taken).toMatchObject({ outcome: 'unchanged' });
    expect(started).toMatchObject({ outcome: 'started', session: { recoveredFrom: first.sessionId } });
    expect(await submit(markCheckpoint(sessionOf(started!), 'v1'))).toMatchObject({
      refusal: { code: 'checkpoint-taken' },
    });
  });

  test.each(['current', 'past'])(
    'of a %s session gives its handles to whoever starts from it in the same batch',
    async (which) => {
      const handles = [{ kind: 'agent', hash: `of-${which}`, binds: 'session' as const }];
      const first = sessionOf(await submit(start(place, { handles })));
      if (which === 'past') await submit(rotate(first));
      const [, started] = await inOneBatch(
        markCheckpoint(first, 'v1'),
        start(place, { fromCheckpoint: 'v1' }),
      );
      expect(sessionOf(started!)).toMatchObject({
        recoveredFrom: first.sessionId,
        handles: first.handles,
      });
    },
  );

  test('is of its scope alone', async () => {
    const [first] = await chain(1);
    await submit(markCheckpoint(first, 'v1'));
    expect(await submit(start(newPlace(ledger.partitions), { fromCheckpoint: 'v1' }))).toMatchObject({
      refusal: { code: 'unknown-checkpoint' },
    });
  });

  test('is one of at most 100 of its scope, in one batch, too', async () => {
    const [first] = await chain(1);
    const mark = (from: number, to: number) =>
      inOneBatch(
        ...Array.from({ length: to - from }, (_, index) => markCheckpoint(first, `v${from + index}`)),
      );
    await mark(0, 98);
    const answers = await mark(98, 102);
    expect(answers).toMatchObject([
      { outcome: 'marked' },
      { outcome: 'marked' },
      { refusal: { code: 'too-many-checkpoints' } },
      { refusal: { code: 'too-many-checkpoints' } },
    ]);
    expect(await checkpoints()).toHaveLength(100);
  });
});
