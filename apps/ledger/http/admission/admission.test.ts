import { Admission, type Shed } from './admission.js';

let now = 0;
let aside = 0;
let shed: [Shed, number][] = [];
let admission: Admission;
beforeEach(() => {
  now = 0;
  aside = 0;
  shed = [];
  admission = new Admission({
    aside: () => aside,
    onShed: (why, count) => shed.push([why, count]),
    now: () => now,
  });
});

/** So many commands come; how many are taken. */
function come(count: number): number {
  let taken = 0;
  for (let one = 0; one < count; one += 1) if (!admission.refuses(true)) taken += 1;
  return taken;
}
const answer = (count: number) => {
  for (let one = 0; one < count; one += 1) admission.done();
};
/** Commands are answered at a pace while as many as are wanted wait, for so long; what was taken and refused. */
function crowd({ perMs, callers, ms }: { perMs: number; callers: number; ms: number }) {
  let taken = 0;
  let most = 0;
  for (const until = now + ms; now < until; now += 1) {
    answer(Math.min(perMs, admission.commands));
    taken += come(Math.min(50, Math.max(0, callers - admission.commands)));
    most = Math.max(most, admission.commands);
  }
  return { taken, most };
}

test('as many as do not crowd are always taken, however long they take', () => {
  expect(come(127)).toBe(127);
  now += 60_000;
  expect(come(1)).toBe(1);
  admission.close();
  expect(shed).toEqual([]);
});

test('a burst is taken; what is more than a burst is refused at once', () => {
  expect(come(1_100)).toBe(1_024);
  admission.close();
  expect(shed).toEqual([['queue', 76]]);
});

test('a crowd that stays is kept at what is answered within the time that a command may wait', () => {
  crowd({ perMs: 5, callers: 4_000, ms: 3_000 });
  const { taken, most } = crowd({ perMs: 5, callers: 4_000, ms: 2_000 });
  expect(most).toBeLessThan(500); // 80 ms of 5 a millisecond
  expect(most).toBeGreaterThan(300);
  expect(taken).toBeGreaterThan(9_900); // as many as were answered
});

test('a crowd that goes is forgotten: the next burst is taken', () => {
  crowd({ perMs: 5, callers: 4_000, ms: 3_000 });
  answer(admission.commands);
  now += 2_500;
  expect(come(600)).toBe(600);
});

test('while nothing is answered, as without a database, all beyond few are refused', () => {
  crowd({ perMs: 5, callers: 400, ms: 2_000 });
  now += 2_000;
  come(1_000);
  now += 1_500;
  expect(come(10)).toBe(0);
});

/** Lists come and are read; how many of so many are taken. */
function comeInLists(lists: number, each: number): number {
  let taken = 0;
  for (let list = 0; list < lists; list += 1) {
    if (admission.refuses(true)) continue;
    if (admission.refusesMore(each - 1)) admission.done();
    else taken += 1;
  }
  return taken;
}

test('lists are taken until as many wait in them as are answered in half a second, or 2,048', () => {
  expect(comeInLists(20, 201)).toBe(10);
  admission.tick(0);
  expect(shed).toEqual([['queue', 10]]);
  admission.doneMore(2_000);
  answer(10);
  expect(admission.commands).toBe(0);
  const begun = Array.from({ length: 20 }, () => admission.refuses(true));
  expect(begun).toEqual(Array(20).fill(undefined));
  const read = begun.map(() => admission.refusesMore(200));
  expect(read.filter((why) => why === undefined)).toHaveLength(10);
});

test('however many wait in lists, those that come one by one are taken: they take turns', () => {
  comeInLists(2, 500);
  for (let ms = 0; ms < 5_000; ms += 10) {
    now += 10;
    expect(come(4)).toBe(4);
    answer(4);
    if (ms % 100 === 0) comeInLists(1, 500);
  }
  expect(admission.commands).toBeGreaterThan(990);
});

test('while a crowd is there no list is taken either', () => {
  crowd({ perMs: 5, callers: 4_000, ms: 3_000 });
  come(4_000);
  expect(admission.refusesMore(99)).toBe('queue');
});

test('what is answered in lists counts as so many: as many more may wait', () => {
  for (let round = 0; round < 40; round += 1) {
    comeInLists(1, 500);
    now += 50;
    admission.done();
    admission.doneMore(499);
  }
  comeInLists(1, 1);
  expect(admission.most).toBeGreaterThan(700); // 80 ms of 10 a millisecond
});

test('commands that wait for a partition which somebody else holds crowd nobody', () => {
  come(500);
  aside = 480;
  now += 1_500;
  expect(come(100)).toBe(100);
});

describe('while the event loop is late', () => {
  const read = () => admission.refuses(false);
  test('all are refused when many came meanwhile, until it is not late any more', () => {
    for (let one = 0; one < 200; one += 1) read();
    admission.tick(300);
    expect([read(), admission.refuses(true)]).toEqual(['event-loop', 'event-loop']);
    admission.tick(0);
    expect([read(), admission.refuses(true)]).toEqual([undefined, undefined]);
  });

  test('nobody is refused when few came: the machine is slow, and refusing helps nobody', () => {
    for (let one = 0; one < 100; one += 1) read();
    admission.tick(5_000);
    expect(read()).toBeUndefined();
  });
});
