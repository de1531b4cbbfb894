import {
  backoffMs,
  DeadlineOver,
  Loop,
  onAbort,
  orAborted,
  Places,
  pause,
  rest,
  settled,
  untilDone,
  untilWoken,
  withDeadline,
} from './index.js';

const never = new Promise<never>(() => {});
const gone = new Error('gone');
const aborted = AbortSignal.abort(gone);
/** How many listeners a signal has: those that stay hold what they are of. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  return { controller, signal, listeners: () => listeners };
}

describe('a pause', () => {
  test('ends when its time is over, and leaves no listener', async () => {
    const { signal, listeners } = counted();
    await pause(1, signal);
    await rest(1, signal);
    await pause(-1);
    expect(listeners()).toBe(0);
  });

  test('rejects with the reason of its signal, before it or meanwhile; a rest just ends', async () => {
    await expect(pause(60_000, aborted)).rejects.toBe(gone);
    await rest(60_000, aborted);
    const { controller, signal } = counted();
    const both = [pause(60_000, signal), rest(60_000, signal)] as const;
    controller.abort(gone);
    await expect(both[0]).rejects.toBe(gone);
    await both[1];
  });
});

test('who is woken lets go of what wakes, whatever woke it', async () => {
  const { controller, signal, listeners } = counted();
  const held = new Set<() => void>();
  const wait = (ms: number) =>
    untilWoken({ ms, signal }, (wake) => {
      held.add(wake);
      return () => held.delete(wake);
    });
  const woken = wait(60_000);
  for (const wake of held) wake();
  await woken;
  await wait(1);
  const cut = wait(60_000);
  controller.abort();
  await cut;
  await wait(60_000); // aborted already: it does not even listen
  expect([held.size, listeners()]).toEqual([0, 0]);
});

test('what listens to a signal hears it once, also when it has aborted already', () => {
  const heard: unknown[] = [];
  onAbort(aborted, (reason) => heard.push(reason));
  const { controller, signal } = counted();
  onAbort(signal, (reason) => heard.push(reason));
  onAbort(signal, () => heard.push('although it has stopped listening'))();
  onAbort(undefined, () => heard.push('of nothing'))();
  controller.abort(gone);
  expect(heard).toEqual([gone, gone]);
});

describe('a deadline', () => {
  test('gives what comes in time, be it an error', async () => {
    expect(await withDeadline(Promise.resolve(1), 60_000, 'nothing')).toBe(1);
    await expect(withDeadline(Promise.reject(gone), 60_000, 'nothing')).rejects.toBe(gone);
    await settled(Promise.reject(gone), 60_000);
  });

  test('says what did not come in time', async () => {
    await expect(withDeadline(never, 1, 'no answer')).rejects.toThrow(
      new DeadlineOver('no answer within 1 ms'),
    );
    await settled(never, 1);
  });

  test('ends with a signal, and leaves no listener', async () => {
    const { controller, signal, listeners } = counted();
    expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(orAborted(Promise.reject(gone), signal)).rejects.toBe(gone);
    expect(listeners()).toBe(0);
    const cut = orAborted(never, signal);
    controller.abort(gone);
    await expect(cut).rejects.toBe(gone);
    await expect(orAborted(never, aborted)).rejects.toBe(gone);
  });
});

describe('backoff', () => {
  test('doubles up to a limit, and leaves to chance what it may', () => {
    const { random } = Math;
    Math.random = () => 1;
    expect([0, 1, 2, 10, 10_000].map((failures) => backoffMs(failures))).toEqual([
      50, 100, 200, 5_000, 5_000,
    ]);
    Math.random = () => 0;
    expect([backoffMs(3), backoffMs(3, { sure: 0.5 })]).toEqual([0, 200]);
    expect(backoffMs(2, { firstMs: 500, mostMs: 1_000, sure: 1 })).toBe(1_000);
    Math.random = random;
  });

  test('repeats until it works', async () => {
    const failures: [string, number][] = [];
    const work = async () => {
      if (failures.length < 2) throw new Error('not yet');
      return 'done';
    };
    const tell = ({ message }: Error, count: number) => void failures.push([message, count]);
    expect(await untilDone(work, new AbortController().signal, tell, { firstMs: 1 })).toBe('done');
    expect(failures).toEqual([
      ['not yet', 1],
      ['not yet', 2],
    ]);
  });

  test('ends with the signal, and with what is not worth another attempt', async () => {
    const fail = () => Promise.reject(gone);
    const { controller, signal } = counted();
    const giveUp = (error: Error) => {
      throw error;
    };
    await expect(untilDone(fail, signal, giveUp)).rejects.toBe(gone);
    await expect(untilDone(fail, aborted, () => {})).rejects.toBe(gone);
    const stopped = new Error('stopped');
    const hanging = untilDone(
      () => never,
      signal,
      () => {},
    );
    const failing = untilDone(fail, signal, () => {}, { firstMs: 60_000, mostMs: 60_000 });
    controller.abort(stopped);
    await expect(hanging).rejects.toBe(stopped);
    await expect(failing).rejects.toBe(stopped);
  });
});

describe('a loop', () => {
  test('goes on after a fault, at once while there is more to do, and ends after the round at hand', async () => {
    const heard: unknown[] = [];
    let rounds = 0;
    let finish = () => {};
    const last = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const loop = new Loop({
      everyMs: 60_000,
      async round() {
        rounds += 1;
        if (rounds === 2) throw gone;
        if (rounds === 4) await last;
        return true;
      },
      onFault: (error) => heard.push(error),
    });
    loop.start();
    while (heard.length === 0) await rest(1);
    await rest(1); // it sleeps by then
    loop.wake();
    while (rounds < 4) await rest(1);
    const closed = loop.close().then(() => heard.push('closed'));
    await rest(1);
    expect(heard).toEqual([gone]);
    finish();
    await closed;
    expect([rounds, heard]).toEqual([4, [gone, 'closed']]);
  });

  test('that sleeps ends at once, and one that was not started has nothing to end', async () => {
    const loop = new Loop({ everyMs: 60_000, round: () => never, onFault: () => {} });
    loop.start(60_000);
    await loop.close();
    await new Loop({ everyMs: 1, round: () => never, onFault: () => {} }).close();
    expect(loop.isClosed).toBe(true);
  });
});

test('so many have a place at a time, the others in the order in which they came, also after one that fails', async () => {
  const places = new Places(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map((number) =>
    places.run(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (number === 0) throw gone;
      return number;
    }),
  );
  const results = Promise.allSettled(all);
  for (let ended = 0; ended < 5; ended++) {
    await rest(1);
    expect(begun).toEqual([0, 1, 2, 3, 4].slice(0, Math.min(5, ended + 2)));
    ends[ended]?.();
  }
  expect((await results).map(({ status }) => status)).toEqual(['rejected', ...Array(4).fill('fulfilled')]);
  expect(await places.run(async () => 'free')).toBe('free');
});
