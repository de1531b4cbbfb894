import { TileMaker } from './tile-maker.js';

/** Runs until each of some partitions had its turn, and tells what else became of it. */
async function until(
  wanted: readonly number[],
  heads: number[],
  make: (partition: number) => Promise<number>,
) {
  const asked: number[] = [];
  let kept = 0;
  const faults: unknown[] = [];
  let isOver = () => {};
  const over = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  const maker = new TileMaker({
    tiles: {
      make: async (partition) => {
        asked.push(partition);
        // Or until it is plain that they never will.
        if (wanted.every((one) => asked.includes(one)) || asked.length === 50) isOver();
        return make(partition);
      },
    },
    checkpoints: {
      keep: async () => {
        kept += 1;
      },
    },
    heads: () => heads,
    workedMs: () => 0,
    onMade: () => {},
    onFault: (error) => faults.push(error),
  });
  maker.start();
  await over;
  await maker.close();
  return { asked, kept, faults };
}

test('a partition that always has more to make leaves the others their turns', async () => {
  const { asked, kept } = await until([0, 1, 2], [100_000, 256, 512], async (partition) =>
    partition === 0 ? 8 : 1,
  );
  expect(asked.slice(0, 3)).toEqual([0, 1, 2]);
  expect(kept).toBe(1);
});

test('a partition whose tiles cannot be made leaves the others theirs, and checkpoints are kept', async () => {
  const { kept, faults } = await until([1], [256, 256], async (partition) => {
    if (partition === 0) throw new Error('events are missing');
    return 1;
  });
  expect([kept, faults.length]).toEqual([1, 1]);
});
