import { LoopTurns } from './loop-turns.js';

/** Does nothing else for so long. */
const work = (ms: number) => {
  for (const until = performance.now() + ms; performance.now() < until; );
};

test('whoever can wait gets a millisecond of each turn of the loop, one after the other', async () => {
  const turns = new LoopTurns();
  const order: string[] = [];
  let isOver = false;
  const other = () => {
    order.push('other');
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      await turns.next();
      order.push(String(index));
      work(0.4);
    }),
  );
  isOver = true;
  const pieces = order.filter((one) => one !== 'other');
  expect(pieces).toEqual(pieces.map((_, index) => String(index)));
  const turnsTaken = order
    .join(' ')
    .split('other')
    .map((part) => part.trim().split(' ').filter(Boolean).length);
  expect(Math.max(...turnsTaken)).toBeLessThanOrEqual(4);
  expect(turnsTaken.filter((count) => count > 0).length).toBeGreaterThanOrEqual(4);
});

test('a lone one waits for nobody else', async () => {
  const turns = new LoopTurns();
  let isDone = false;
  void turns.next().then(() => {
    isDone = true;
  });
  for (let ticks = 0; ticks < 3; ticks++) await Promise.resolve();
  expect(isDone).toBe(true);
});

test('those who come while others wait come after them, however many there are', async () => {
  const turns = new LoopTurns();
  const order: number[] = [];
  const one = async (number: number) => {
    await turns.next();
    order.push(number);
  };
  const first = Array.from({ length: 3_000 }, (_, index) => one(index));
  await turns.next();
  await Promise.all([...first, ...Array.from({ length: 3_000 }, (_, index) => one(3_000 + index))]);
  expect(order).toEqual(order.map((_, index) => index));
});

test('a large piece has a turn of the loop for itself', async () => {
  const turns = new LoopTurns();
  const order: string[] = [];
  let isOver = false;
  const other = () => {
    order.push('other');
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  await Promise.all(
    [1, 2, 3].map(async () => {
      await turns.nextLarge();
      order.push('large');
    }),
  );
  isOver = true;
  expect(order.join(' ')).not.toContain('large large');
});

test('what happens now gets every other turn, however many others wait, and no more', async () => {
  const turns = new LoopTurns();
  const order: string[] = [];
  const others = Array.from({ length: 6 }, () => turns.next().then(() => order.push('other')));
  const live = async () => {
    for (let count = 0; count < 3; count++) {
      await turns.nextLive();
      order.push('live');
    }
  };
  await Promise.all([...others, live()]);
  const both = order.join(' ').replace(/( other)+$/, '');
  expect(both).not.toContain('live live');
  expect(both).not.toContain('other other');
});
