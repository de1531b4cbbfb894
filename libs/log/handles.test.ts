import { setTimeout as sleep } from 'node:timers/promises';
import type { NewHandle, Session } from '#session';
import { type Answer, Finder, type LedgerWriter, newSessionId, partitionOfSession } from './index.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { brokenPromises } from './testing/promises.js';
import {
  again,
  dev,
  end,
  forSession,
  keyed,
  newPlace,
  type Place,
  sessionOf,
  start,
} from './testing/submissions.js';

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
  const found = await new Finder(ledger.servicePool(1)).byHandle(hashes);
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

describe('a scope keeps 32 handles', () => {
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
