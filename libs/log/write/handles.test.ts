import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '#api';
import { type NewHandle, partitionOfSession, type Session } from '#session';
import { Finder, type LedgerWriter, newSessionId } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { brokenPromises } from '../testing/promises.js';
import {
  again,
  dev,
  end,
  erase,
  forSession,
  keyed,
  newPlace,
  type Place,
  reportInvalid,
  rotate,
  sessionOf,
  start,
} from '../testing/submissions.js';

let ledger: TestLedger;
let writer: LedgerWriter;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer({ lanes: 1 });
});
afterEach(async () => {
  expect(await brokenPromises(ledger.pool)).toEqual([]);
  await ledger.close();
});

let names = 0;
const newName = () => `name-${++names}`;
const toScope = (hash: string): NewHandle => ({ kind: 'transport', hash, binds: 'scope' });
const toSession = (hash: string): NewHandle => ({ kind: 'agent', hash, binds: 'session' });
const startWith = (place: Place, ...handles: NewHandle[]) => start(place, { handles });
const joinWith = (place: Place, ...handles: NewHandle[]) => start(place, { onConflict: 'join', handles });
const bind = (session: Session, ...handles: NewHandle[]) =>
  forSession(session, { type: 'ChangeHandles', bind: handles, unbind: [] });
const unbind = (session: Session, hash: string) =>
  forSession(session, { type: 'ChangeHandles', bind: [], unbind: [{ kind: 'agent', hash }] });
const taken = expect.objectContaining({
  kind: 'refused',
  refusal: expect.objectContaining({ code: 'handle-taken' }),
});

/** Which sessions the names mean, in this order; undefined for nobody. */
async function meant(...hashes: string[]): Promise<(string | undefined)[]> {
  const found = await new Finder(ledger.servicePool(1)).byHandle(hashes, 'acme');
  return hashes.map((hash) => found.get(hash)?.session.sessionId);
}

describe('one handle, one meaning', () => {
  test('a handle of a scope means its latest session, one of a session stays there', async () => {
    const place = newPlace(4);
    const [scoped, own] = [newName(), newName()];
    const first = sessionOf(await writer.submit(startWith(place, toScope(scoped), toSession(own))));
    expect(await meant(scoped, own, newName())).toEqual([first.sessionId, first.sessionId, undefined]);
    const second = sessionOf(await writer.submit(start(place)));
    expect(await meant(scoped, own)).toEqual([second.sessionId, first.sessionId]);
    await writer.submit(end(second));
    expect(await meant(scoped, own)).toEqual([second.sessionId, first.sessionId]);
  });

  test('what one scope has, no other one gets, and its neighbours in the batch are obeyed', async () => {
    const name = newName();
    const places = [newPlace(4), newPlace(4), newPlace(4), newPlace(4)] as const;
    const answers = await Promise.all([
      writer.submit(startWith(places[0], toScope(name))),
      writer.submit(startWith(places[1], toScope(name))),
      writer.submit(startWith(places[2], toSession(name), toScope(newName()))),
      writer.submit(startWith(places[3], toScope(newName()))),
    ]);
    expect(answers).toEqual([expect.anything(), taken, taken, expect.anything()]);
    expect(await meant(name)).toEqual([sessionOf(answers[0]).sessionId]);
    sessionOf(answers[3]);
  });

  test('what a refused command asked for is free', async () => {
    const [mine, free] = [newName(), newName()];
    await writer.submit(startWith(newPlace(4), toScope(mine)));
    expect(await writer.submit(startWith(newPlace(4), toScope(free), toScope(mine)))).toEqual(taken);
    sessionOf(await writer.submit(startWith(newPlace(4), toSession(free))));
  });

  test('what was unbound is free, also for the next command of the batch', async () => {
    const name = newName();
    const session = sessionOf(await writer.submit(startWith(newPlace(4), toSession(name))));
    const [, other] = await Promise.all([
      writer.submit(unbind(session, name)),
      writer.submit(startWith(newPlace(4), toScope(name))),
    ]);
    expect(await meant(name)).toEqual([sessionOf(other).sessionId]);
  });

  test('a handle binds in a rotation, and the same rotation again finds its successor', async () => {
    const [first, next] = [newName(), newName()];
    const session = sessionOf(await writer.submit(startWith(newPlace(4), toSession(first))));
    const rotation = () =>
      forSession(session, {
        type: 'RotateSession',
        successorId: newSessionId(partitionOfSession(session.sessionId)),
        successorHandle: { kind: 'agent', hash: next },
        reason: 'build',
      });
    const successor = sessionOf(await writer.submit(rotation()));
    expect(await writer.submit(rotation())).toMatchObject({ outcome: 'already-rotated', session: successor });
    expect(await meant(first, next)).toEqual([session.sessionId, successor.sessionId]);
  });
});

describe('a handle of a scope', () => {
  const gone = async (place: Place, ...handles: NewHandle[]) => {
    const session = sessionOf(await writer.submit(startWith(place, ...handles)));
    await writer.submit(end(session));
    return session;
  };
  const [left, right] = [0, 1];

  test.each([
    ['in the same partition', left],
    ['in another one', right],
  ])('without session is free for another %s, and in use it is not', async (_, partition) => {
    const [name, other] = [newName(), newName()];
    const place = newPlace(4, left);
    await gone(place, toScope(name), toScope(other));
    const taker = newPlace(4, partition);
    const session = sessionOf(await writer.submit(startWith(taker, toScope(name), toSession(other))));
    expect(session.handles).toHaveLength(1);
    expect(await meant(name, other)).toEqual([session.sessionId, session.sessionId]);
    // Now it is in use, also for who had it first.
    expect(await writer.submit(startWith(place, toScope(name)))).toEqual(taken);
  });

  test('is free for the next command of the batch that ended its session, and not before', async () => {
    const name = newName();
    const place = newPlace(4, left);
    const session = sessionOf(await writer.submit(startWith(place, toScope(name))));
    const [early, , late] = await Promise.all([
      writer.submit(startWith(newPlace(4, left), toScope(name))),
      writer.submit(end(session)),
      writer.submit(startWith(newPlace(4, left), toScope(name))),
    ]);
    expect(early).toEqual(taken);
    expect(await meant(name)).toEqual([sessionOf(late).sessionId]);
  });

  test('without session is unbound by whoever names it', async () => {
    const name = newName();
    await gone(newPlace(4, left), toScope(name));
    const session = sessionOf(await writer.submit(start(newPlace(4, right))));
    expect(await writer.submit(unbind(session, name))).toMatchObject({ outcome: 'changed' });
    expect(await meant(name)).toEqual([undefined]);
  });

  test('that is taken away while its scope starts again belongs to one of them, as each is told', async () => {
    const writers = [ledger.writer({ lanes: 1 }), ledger.writer({ lanes: 1 })] as const;
    for (let round = 0; round < 40; round++) {
      const names = [newName(), newName()];
      const scopes = [newPlace(4, left), newPlace(4, right)] as const;
      // Each takes one from the other, and asks for its own as well.
      await gone(scopes[0], toScope(names[0]!));
      await gone(scopes[1], toScope(names[1]!));
      const ask = (to: LedgerWriter, place: Place) => to.submit(startWith(place, ...names.map(toScope)));
      const answers = await Promise.all([ask(writers[0], scopes[0]), ask(writers[1], scopes[1])]);
      const won = answers.filter(({ kind }) => kind === 'accepted');
      expect([won.length, answers.filter(({ kind }) => kind === 'refused')]).toEqual([1, [taken]]);
      const { sessionId } = sessionOf(won[0]!);
      expect(await meant(...names)).toEqual([sessionId, sessionId]);
    }
  });
});

describe('erasing a scope', () => {
  const hashes = async () =>
    (await ledger.pool.query('select hash from ledger.handles')).rows.map(({ hash }) => hash);

  test('frees its handles, also those of its sessions, past and current, and leaves no hash of them', async () => {
    const place = newPlace(4);
    const [scoped, past, own] = [newName(), newName(), newName()];
    await writer.submit(startWith(place, toScope(scoped), toSession(past)));
    const session = sessionOf(await writer.submit(startWith(place, toSession(own))));
    const erased = await writer.submit(erase(place));
    expect(erased).toMatchObject({ outcome: 'erased', session: { sessionId: session.sessionId } });
    expect(sessionOf(erased)).not.toHaveProperty('handles');
    expect(await meant(scoped, past, own)).toEqual([undefined, undefined, undefined]);
    for (const table of ['handles', 'handle_salts', 'scopes', 'sessions', 'receipts', 'events']) {
      const of = table === 'events' ? "convert_from(bytes, 'UTF8')" : 't::text';
      const { rows } = await ledger.pool.query(`select ${of} as text from ledger.${table} t`);
      for (const name of [scoped, past, own]) expect(JSON.stringify(rows)).not.toContain(name);
    }
    expect(await writer.submit(erase(place))).toMatchObject({ outcome: 'unchanged' });
    sessionOf(await writer.submit(startWith(newPlace(4), toScope(scoped), toSession(past), toSession(own))));
  });

  test('says nothing any more of which handle an event meant, also to who has its hash', async () => {
    const place = newPlace(4);
    const name = newName();
    const before = sessionOf(await writer.submit(startWith(place, toSession(name))));
    await writer.submit(erase(place));
    const after = sessionOf(await writer.submit(startWith(place, toSession(name))));
    expect(before.handles?.[0]?.hash).not.toBe(after.handles?.[0]?.hash);
    const other = sessionOf(await writer.submit(startWith(newPlace(4), toSession(newName()))));
    expect(other.handles).toHaveLength(1);
  });

  test('and binding before and after it in one batch leaves what came after', async () => {
    const place = newPlace(4);
    const [kept, moved, lost] = [newName(), newName(), newName()];
    const [full] = [Array.from({ length: 3 }, newName)];
    const first = sessionOf(await writer.submit(startWith(place, toSession(kept), toScope(moved))));
    await writer.submit(bind(first, ...full.map(toScope)));
    const session = { ...first, epoch: first.epoch };
    await Promise.all([
      writer.submit(bind(session, toScope(lost))),
      writer.submit(erase(place)),
      writer.submit(bind(session, toSession(moved), toScope(kept))),
    ]);
    expect(await meant(kept, moved, lost, ...full)).toEqual([
      ...[session.sessionId, session.sessionId],
      ...[undefined, undefined, undefined, undefined],
    ]);
    expect(await writer.submit(erase(place))).toMatchObject({ outcome: 'erased' });
    expect(await hashes()).toEqual([]);
  });

  test('of which it has as many as it keeps makes room in the same batch: nothing is told to go', async () => {
    const place = newPlace(4);
    const full = Array.from({ length: 32 }, newName);
    const session = sessionOf(await writer.submit(startWith(place, ...full.map(toScope))));
    const late = Array.from({ length: 3 }, newName);
    const [, bound] = await Promise.all([
      writer.submit(erase(place)),
      writer.submit(bind(session, ...late.map(toScope))),
    ]);
    expect(bound).toMatchObject({ kind: 'accepted' });
    expect(bound).not.toHaveProperty('dropped');
    expect(await meant(...late)).toEqual(late.map(() => session.sessionId));
    expect(await meant(...full)).toEqual(full.map(() => undefined));
  });

  test('ends what was known of rotations: the same one again is not found by its handle', async () => {
    const place = newPlace(4);
    const session = sessionOf(await writer.submit(start(place)));
    const rotation = () => rotate(session, { successorHandle: { kind: 'agent', hash: 'erased-later' } });
    sessionOf(await writer.submit(rotation()));
    expect(await writer.submit(rotation())).toMatchObject({ outcome: 'already-rotated' });
    await writer.submit(erase(place));
    expect(await writer.submit(rotation())).toMatchObject({ refusal: { code: 'stale-session' } });
  });
});

describe('the name of an earlier session', () => {
  test('moves on to the next one of its scope, however that one came to be, and to none of another scope', async () => {
    const [place, name] = [newPlace(4), newName()];
    const first = sessionOf(await writer.submit(startWith(place, toSession(name))));
    const second = sessionOf(await writer.submit(startWith(place, toSession(name))));
    expect([second.handles, await meant(name)]).toEqual([first.handles, [second.sessionId]]);
    await writer.submit(end(second));
    expect(await writer.submit(startWith(newPlace(4), toSession(name)))).toEqual(taken);
    const third = sessionOf(await writer.submit(startWith(place, toSession(name))));
    expect(await meant(name)).toEqual([third.sessionId]);
    const fourth = sessionOf(await writer.submit(start(place)));
    await writer.submit(bind(fourth, toSession(name)));
    expect(await meant(name)).toEqual([fourth.sessionId]);
  });

  test('moves on in the batch that ends it, from one start to the next', async () => {
    const [place, name] = [newPlace(4), newName()];
    const answers = await Promise.all([
      writer.submit(startWith(place, toSession(name))),
      writer.submit(startWith(place, toSession(name))),
      writer.submit(startWith(place, toSession(name))),
    ]);
    expect(await meant(name)).toEqual([sessionOf(answers[2]!).sessionId]);
  });

  test('stays there when that one was reported invalid, long before or in the same batch', async () => {
    const [place, names] = [newPlace(4), [newName(), newName()]];
    const [dead, dying] = [
      sessionOf(await writer.submit(startWith(place, toSession(names[0]!)))),
      sessionOf(await writer.submit(startWith(place, toSession(names[1]!)))),
    ];
    await writer.submit(reportInvalid(dead));
    expect(await writer.submit(startWith(place, toSession(names[0]!)))).toEqual(taken);
    const [, late] = await Promise.all([
      writer.submit(reportInvalid(dying)),
      writer.submit(startWith(place, toSession(names[1]!))),
    ]);
    expect(late).toEqual(taken);
    expect(await meant(...names)).toEqual([dead.sessionId, dying.sessionId]);
  });
});

test('a rotation under the session’s own name takes it along, also in tables and events', async () => {
  const place = newPlace(4);
  const name = newName();
  const first = sessionOf(await writer.submit(startWith(place, toSession(name))));
  const rotation = () => rotate(first, { successorHandle: { kind: 'agent', hash: name } });
  const next = sessionOf(await writer.submit(rotation()));
  expect(next.handles).toEqual(first.handles);
  expect(await meant(name)).toEqual([next.sessionId]);
  expect(await writer.submit(rotation())).toMatchObject({ outcome: 'already-rotated', session: next });
  // What continues the first one takes it over again.
  const recovered = sessionOf(await writer.submit(reportInvalid(next)));
  expect([recovered.recoveredFrom, recovered.handles]).toEqual([first.sessionId, first.handles]);
  expect(await meant(name)).toEqual([recovered.sessionId]);
});

test('what events called a handle before there were salts, they still do, until it is erased', async () => {
  const place = newPlace(4);
  const name = newName();
  sessionOf(await writer.submit(startWith(place, toScope(newName()))));
  await ledger.pool.query("update ledger.handle_salts set salt = ''");
  const first = sessionOf(await writer.submit(startWith(place, toSession(name))));
  expect(first.handles).toEqual([{ kind: 'agent', hash: name }]);
  expect(await writer.submit(unbind(first, name))).toMatchObject({ outcome: 'changed' });
  await writer.submit(erase(place));
  const next = sessionOf(await writer.submit(startWith(place, toSession(name))));
  expect(next.handles).not.toEqual(first.handles);
});

describe('a scope keeps 32 handles', () => {
  test('and says which one went for another: its kind, and when it was bound', async () => {
    const place = newPlace(4);
    const all = Array.from({ length: 40 }, newName);
    const session = sessionOf(await writer.submit(start(place)));
    const times: string[] = [];
    for (let at = 0; at < 32; at += 8) {
      await writer.submit(bind(session, ...all.slice(at, at + 8).map(toScope)));
      const { rows } = await ledger.pool.query(
        'select distinct bound_at from ledger.handles where hash = $1',
        [all[at]],
      );
      times.push(rows[0].bound_at.toISOString());
    }
    const again = await writer.submit(bind(session, toScope(all[0]!)));
    expect(again).not.toHaveProperty('dropped');
    const dropped = { kind: 'transport', boundAt: times[0] };
    const one = await writer.submit(bind(session, toScope(all[32]!)));
    expect(one).toMatchObject({ dropped: [dropped] });
    const [two, none, three] = await Promise.all([
      writer.submit(joinWith(place, toScope(all[33]!), toScope(all[34]!))),
      writer.submit(unbind(session, all[20]!)),
      writer.submit(bind(session, toScope(all[35]!), toScope(all[36]!))),
    ]);
    expect([two, three]).toMatchObject([{ dropped: [dropped, dropped] }, { dropped: [dropped] }]);
    expect(none).not.toHaveProperty('dropped');
    const known = (await meant(...all)).map((one) => one !== undefined);
    expect(known).toEqual(all.map((_, n) => n === 0 || (n > 4 && n < 37 && n !== 20)));
  });

  test('also of more than that in one batch', async () => {
    const place = newPlace(4);
    const all = Array.from({ length: 40 }, newName);
    const session = sessionOf(await writer.submit(start(place)));
    const answers = await Promise.all(
      [0, 8, 16, 24, 32].map((at) => writer.submit(bind(session, ...all.slice(at, at + 8).map(toScope)))),
    );
    expect(answers.map((answer) => 'dropped' in answer && answer.dropped?.length)).toEqual([
      ...[false, false, false, false],
      8,
    ]);
    expect((await meant(...all)).map((one) => one !== undefined)).toEqual(all.map((_, n) => n > 7));
  });

  test('the newest, where binding again makes new', async () => {
    const place = newPlace(4);
    const all = Array.from({ length: 40 }, newName);
    sessionOf(await writer.submit(start(place)));
    for (const name of all.slice(0, 32)) await writer.submit(joinWith(place, toScope(name)));
    await writer.submit(joinWith(place, toScope(all[0]!)));
    await Promise.all(all.slice(32).map((name) => writer.submit(joinWith(place, toScope(name)))));
    const known = (await meant(...all)).map((one) => one !== undefined);
    expect(known).toEqual(all.map((_, index) => index === 0 || index > 8));
  });

  test('without an event, and those of its sessions aside', async () => {
    const place = newPlace(4);
    const own = newName();
    const session = sessionOf(await writer.submit(startWith(place, toSession(own))));
    for (let round = 0; round < 5; round++) {
      const eight = Array.from({ length: 8 }, () => toScope(newName()));
      expect(await writer.submit(bind(session, ...eight))).toMatchObject({ outcome: 'changed' });
    }
    expect(await meant(own)).toEqual([session.sessionId]);
    const { rows } = await ledger.pool.query('select count(*)::int as events from ledger.events');
    expect(rows).toEqual([{ events: 1 }]);
  });
});

test('a command that its key replays binds nothing a second time', async () => {
  const place = newPlace(4);
  const name = newName();
  const submission = keyed(startWith(place, toSession(name)), 'key-1');
  const first = sessionOf(await writer.submit(submission));
  await writer.submit(unbind(first, name));
  expect(await writer.submit(again(submission))).toMatchObject({ replayed: true });
  expect(await meant(name)).toEqual([undefined]);
});

test('batches that take the same handles in opposite order neither wait for ever nor fail a neighbour', async () => {
  const writers = [ledger.writer({ lanes: 1 }), ledger.writer({ lanes: 1 })] as const;
  for (let round = 0; round < 60; round++) {
    const shared = Array.from({ length: 6 }, newName);
    const [left, right] = [newPlace(4, 0), newPlace(4, 1)];
    const ask = (to: LedgerWriter, place: Place, order: string[]) =>
      order.map((name) => to.submit(joinWith(place, toScope(name))));
    const lone = writers.map((one, index) => one.submit(startWith(newPlace(4, index), toScope(newName()))));
    const answers = await Promise.all([
      ...ask(writers[0], left, shared),
      ...ask(writers[1], right, [...shared].reverse()),
    ]);
    for (const one of await Promise.all(lone)) sessionOf(one);
    const won = answers.filter((answer: Answer) => answer.kind === 'accepted');
    const lost = answers.filter((answer: Answer) => answer.kind === 'refused');
    expect([won.length, lost.length]).toEqual([6, 6]);
    expect(lost).toEqual(lost.map(() => taken));
  }
});

test('who asks for a handle that is just being taken waits for the answer', async () => {
  const name = newName();
  const blocker = await ledger.pool.connect();
  try {
    await blocker.query('begin');
    await blocker.query('insert into ledger.handles (hash) values ($1)', [name]);
    let answered = false;
    const asked = writer.submit(start(newPlace(4), { owner: dev, handles: [toScope(name)] }));
    void asked.finally(() => {
      answered = true;
    });
    await sleep(300);
    expect(answered).toBe(false);
    await blocker.query('rollback');
    sessionOf(await asked);
  } finally {
    blocker.release();
  }
});
