import type { FeedEvent, Tail, TailListener } from '#log';
import { ScopeWatch } from './scope-watch.js';

/** A watch, and what happens to its log. */
function watched() {
  let hear: TailListener = () => {};
  let rewind = () => {};
  const tail = {
    listen(listener: TailListener) {
      hear = listener;
      return () => {};
    },
    onRewind(listener: () => void) {
      rewind = listener;
      return () => {};
    },
  } as unknown as Tail;
  const watch = new ScopeWatch(tail);
  return {
    watch,
    happen: (...scopeKeys: string[]) => hear(scopeKeys.map((scopeKey) => ({ scopeKey }) as FeedEvent)),
    rewind: () => rewind(),
  };
}

const LONG_MS = 60_000;
/** Whether it is resolved, without time passing. */
const isOver = (promise: Promise<void>) =>
  Promise.race([promise.then(() => true), new Promise((done) => setImmediate(done, false))]);

test('wakes those who wait for a scope of the events, all of them, and nobody else', async () => {
  const { watch, happen } = watched();
  const here = [watch.next('a', LONG_MS), watch.next('a', LONG_MS), watch.next('b', LONG_MS)];
  const elsewhere = watch.next('c', LONG_MS);
  happen('a', 'd', 'b', 'a');
  for (const one of here) expect(await isOver(one)).toBe(true);
  expect([await isOver(elsewhere), watch.waiting]).toEqual([false, 1]);
  watch.close();
});

test('a waiter that goes leaves the others of its scope waiting, and they hear', async () => {
  const { watch, happen } = watched();
  const gone = new AbortController();
  const [one, other] = [watch.next('a', LONG_MS, gone.signal), watch.next('a', LONG_MS)];
  gone.abort();
  gone.abort();
  expect([await isOver(one), await isOver(other), watch.waiting]).toEqual([true, false, 1]);
  happen('a');
  expect([await isOver(other), watch.waiting]).toEqual([true, 0]);
});

test('nobody begins to wait who is gone already, or when the service stops', async () => {
  const { watch } = watched();
  expect(await isOver(watch.next('a', LONG_MS, AbortSignal.abort()))).toBe(true);
  const waiting = watch.next('a', LONG_MS);
  watch.close();
  expect([await isOver(waiting), await isOver(watch.next('a', LONG_MS)), watch.waiting]).toEqual([
    true,
    true,
    0,
  ]);
});

test('another past wakes everybody: what they wait for may be there already', async () => {
  const { watch, rewind } = watched();
  const waiting = [watch.next('a', LONG_MS), watch.next('b', LONG_MS)];
  rewind();
  for (const one of waiting) expect(await isOver(one)).toBe(true);
});

test('at most 20,000 wait at once, and each who goes makes room for one', async () => {
  const { watch } = watched();
  const gone = new AbortController();
  const first = watch.next('a', LONG_MS, gone.signal);
  const others = Array.from({ length: 19_999 }, (_, index) => watch.next(`${index % 100}`, LONG_MS));
  expect(() => watch.next('b', LONG_MS)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  gone.abort();
  await first;
  others.push(watch.next('b', LONG_MS));
  expect(() => watch.next('b', LONG_MS)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  watch.close();
  await Promise.all(others);
  expect(watch.waiting).toBe(0);
});
