import { Pace } from './pace.js';

/** Asks after `passed` milliseconds, of which commands were worked on for `worked`. */
function paceOf(share: number) {
  let [now, workedMs] = [1_000, 500];
  const pace = new Pace({ share, now: () => now, workedMs: () => workedMs });
  return (took: number, { passed, worked }: { passed: number; worked: number }) => {
    now += passed;
    workedMs += worked;
    return pace.restFor(took);
  };
}

test.each([
  ['nobody commands', 0, 0],
  ['commands take a quarter of the time', 25, 10 / 0.75 - 10],
  ['commands take half of it', 50, 10],
  ['commands take so much that less than its share is left', 99, 190],
  ['commands take all of it', 100, 190],
  ['two lanes work at once', 200, 190],
])('%s: after 10 ms of work', (_, worked, rest) => {
  expect(paceOf(0.05)(10, { passed: 100, worked })).toBeCloseTo(rest);
});

test('what counts is the time since it was asked last: a pause ends the rest', () => {
  const restAfter = paceOf(0.05);
  expect(restAfter(10, { passed: 100, worked: 100 })).toBeCloseTo(190);
  expect(restAfter(10, { passed: 50, worked: 50 })).toBeCloseTo(190);
  expect(restAfter(10, { passed: 50, worked: 0 })).toBe(0);
  expect(restAfter(10, { passed: 50, worked: 50 })).toBeCloseTo(190);
});

test('asked twice at the same moment it gives way', () => {
  expect(paceOf(0.5)(10, { passed: 0, worked: 0 })).toBe(10);
});
