import { readFile } from 'node:fs/promises';
import { below, type Floor, readFloors } from './floors.js';
import { callLoops, compared, interleave, row, type Side, type Turn } from './harness.js';
import { byCallers, ratios } from './plots.js';

const file = new URL('./floors.json', import.meta.url).pathname;
const floor: Floor = { workload: 'W1', case: 'without', callers: 64, against: 'INSERTs', ratio: 0.5 };
const turn = (ops: number): Turn => ({ seconds: 1, ops, latencies: [1] });
const plan = { turns: 3, turnMs: 5, warmUpMs: 5 };
const { signal } = new AbortController();

function rowOf(ours: number, theirs: number, callers = 64) {
  const turns = [turn(ours), turn(ours + 10), turn(ours - 10)];
  const reference = { name: 'INSERTs', turns: turns.map(() => turn(theirs)) };
  return compared(row('without', callers, turns), turns, reference);
}

test('a ratio that is not below its floor holds', () => {
  expect(below([floor], { W1: [rowOf(500, 1_000)] })).toEqual([]);
});

test('a ratio below its floor is told with both figures', () => {
  const lines = below([floor], { W1: [rowOf(490, 1_000)] });
  expect(lines).toEqual(['W1 without, 64 callers, against INSERTs: ×0.49 is below ×0.50']);
});

test('a floor that nothing was measured for is told, so that a case cannot be renamed away from it', () => {
  const lines = below([floor], { W1: [rowOf(500, 1_000, 8)] });
  expect(lines).toEqual(['W1 without, 64 callers, against INSERTs: not measured']);
});

test('each floor is half of the ratio that docs/performance.md records in its place, or more', async () => {
  const docs = await readFile(new URL('../../docs/performance.md', import.meta.url), 'utf8');
  const [, quick = ''] = docs.split('## A quick run');
  const recorded = quick
    .split('\n## ')[0]!
    .split('\n')
    .flatMap((line) => {
      const [, what = '', callers = '', ratio = '', , against = ''] = line
        .split('|')
        .map((cell) => cell.trim());
      return /^W[123]/.test(what)
        ? [
            {
              workload: what.slice(0, 2),
              callers: Number(callers.replace(',', '')),
              against,
              ratio: Number(ratio),
            },
          ]
        : [];
    });
  const floors = await readFloors(file);
  expect(floors.map(({ case: _, ratio: __, ...place }) => place)).toEqual(
    recorded.map(({ ratio: _, ...place }) => place),
  );
  for (const [index, { ratio }] of floors.entries()) {
    expect(ratio).toBeGreaterThanOrEqual(recorded[index]!.ratio / 2 - 0.011);
    expect(ratio).toBeLessThan(recorded[index]!.ratio);
  }
});

test('a run ends at the first operation that fails', async () => {
  let calls = 0;
  const failing: Side = {
    name: 'failing',
    turn: (ms) =>
      callLoops(2, ms, async () => {
        if (++calls > 10) throw new Error('refused');
      }),
  };
  // Long, though it ends at once: on a busy machine a short turn may be over before the eleventh call.
  await expect(interleave([failing], { ...plan, warmUpMs: 5_000 }, signal)).rejects.toThrow('refused');
});

test('a run ends when a side did nothing in a whole turn', async () => {
  const idle: Side = { name: 'idle', turn: async () => turn(0) };
  await expect(interleave([idle], plan, signal)).rejects.toThrow('idle: nothing was done');
});

test('the sides work in turns, and the first of each does not count', async () => {
  const worked: string[] = [];
  const side = (name: string): Side => ({
    name,
    turn: async (ms) => {
      worked.push(name);
      return turn(ms);
    },
  });
  const turns = await interleave([side('a'), side('b')], { ...plan, warmUpMs: 99 }, signal);
  expect(worked.join('')).toBe('abababab');
  expect(turns.get('a')?.map(({ ops }) => ops)).toEqual([5, 5, 5]);
});

test('what a turn leaves to be done is done before the next side works', async () => {
  const worked: string[] = [];
  const side = (name: string): Side => ({
    name,
    turn: async () => {
      worked.push(name);
      return turn(1);
    },
    settle: async () => worked.push('settled'),
  });
  await interleave([side('a'), side('b')], { ...plan, turns: 0 }, signal);
  expect(worked).toEqual(['a', 'settled', 'b', 'settled']);
});

const machine = {
  ...{ cpu: 'a <fast> one', cores: 2, memoryGiB: 4, system: 'linux', node: '20', load: 0 },
  ...{ at: '2026-01-01T00:00:00.000Z', settings: {} },
};

test('a drawing has a bar for each comparison, and whatever stands in a name is escaped', () => {
  const svg = ratios('W1', [rowOf(500, 1_000), row('INSERTs', 64, [turn(1)])], machine);
  expect(svg.match(/rx="2"/g)).toHaveLength(1);
  expect(svg).toContain('×0.50');
  expect(svg).toContain('a &lt;fast&gt; one');
});

test('a line over callers is drawn from three numbers of callers on', () => {
  const rows = [1, 8, 64].map((callers) => rowOf(callers * 100, 1_000, callers));
  expect(byCallers(rows.slice(1), machine)).toBeUndefined();
  expect(byCallers(rows, machine)).toContain('<polyline');
});
