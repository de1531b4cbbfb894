import fc from 'fast-check';
import { Frontier, leafHash, nodeHash, rootOf } from './index.js';

const LARGEST = Number.MAX_SAFE_INTEGER;

/** So many different leaves: the n-th is the hash of its own number. */
function leaves(count: number, from = 0): Buffer[] {
  return Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`event ${from + i}`)));
}

/** Batch sizes, empty ones among them. */
const batches = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 });

function appendInBatches(sizes: number[], between = (frontier: Frontier) => frontier): Frontier {
  return sizes.reduce(
    (frontier, count) => between(frontier.append(leaves(count, frontier.size))),
    Frontier.empty,
  );
}

function stored(frontier: Frontier): Frontier {
  return Frontier.restore(frontier.size, frontier.toBytes());
}

describe('appending', () => {
  test('every size up to 300, one leaf at a time, has the root of the textbook', () => {
    const all = leaves(300);
    let frontier = Frontier.empty;
    for (let size = 1; size <= all.length; size++) {
      frontier = frontier.append([all[size - 1]!]);
      expect(frontier.root()).toEqual(rootOf(all.slice(0, size)));
    }
  });

  test('however the leaves are split into batches, the root is that of the textbook', () => {
    fc.assert(
      fc.property(batches, (sizes) => {
        const frontier = appendInBatches(sizes);
        expect(frontier.root()).toEqual(rootOf(leaves(frontier.size)));
      }),
    );
  });

  test('leaves the frontier that it started from as it was', () => {
    const before = Frontier.empty.append(leaves(7));
    const [root, bytes] = [before.root(), before.toBytes()];
    before.append(leaves(9, 7));
    expect(before.size).toBe(7);
    expect(before.root()).toEqual(root);
    expect(before.toBytes()).toEqual(bytes);
  });

  test('neither keeps nor hands out anything that a caller could change', () => {
    const [leaf] = leaves(1) as [Buffer];
    const frontier = Frontier.empty.append([leaf]);
    const root = frontier.root();
    const bytes = frontier.toBytes();
    const restored = Frontier.restore(1, bytes);
    for (const outside of [leaf, frontier.root(), Frontier.empty.root(), bytes]) outside.fill(0);
    expect(frontier.root()).toEqual(root);
    expect(restored.root()).toEqual(root);
    expect(Frontier.empty.root()).toEqual(rootOf([]));
  });

  test.each([0, 31, 33])('refuses a leaf hash of %d bytes wherever it stands', (length) => {
    const bad = Buffer.alloc(length);
    expect(() => Frontier.empty.append([bad])).toThrow(RangeError);
    expect(() => Frontier.empty.append([...leaves(1), bad])).toThrow(RangeError);
    expect(() => rootOf([bad])).toThrow(RangeError);
  });
});

describe('a root', () => {
  const someLeaves = fc.integer({ min: 2, max: 150 });
  const place = fc.nat();

  function rootAfter(tampered: Buffer[]): string {
    return Frontier.empty.append(tampered).root().toString('hex');
  }

  test('differs when one bit of one leaf is changed', () => {
    fc.assert(
      fc.property(someLeaves, place, fc.nat({ max: 255 }), (count, at, bit) => {
        const tampered = leaves(count);
        tampered[at % count]![bit >> 3]! ^= 1 << (bit & 7);
        expect(rootAfter(tampered)).not.toBe(rootAfter(leaves(count)));
      }),
    );
  });

  test('differs when a leaf is removed', () => {
    fc.assert(
      fc.property(someLeaves, place, (count, at) => {
        const tampered = leaves(count).toSpliced(at % count, 1);
        expect(rootAfter(tampered)).not.toBe(rootAfter(leaves(count)));
      }),
    );
  });

  test('differs when two leaves are swapped', () => {
    fc.assert(
      fc.property(someLeaves, place, place, (count, a, b) => {
        const [i, j] = [a % count, b % count];
        fc.pre(i !== j);
        const tampered = leaves(count);
        [tampered[i], tampered[j]] = [tampered[j]!, tampered[i]!];
        expect(rootAfter(tampered)).not.toBe(rootAfter(leaves(count)));
      }),
    );
  });
});

describe('storing', () => {
  test('between any two batches changes nothing', () => {
    fc.assert(
      fc.property(batches, (sizes) => {
        const straight = appendInBatches(sizes);
        const detoured = appendInBatches(sizes, stored);
        expect(detoured.size).toBe(straight.size);
        expect(detoured.root()).toEqual(straight.root());
        expect(detoured.toBytes()).toEqual(straight.toBytes());
      }),
    );
  });

  test('writes the largest subtree first', () => {
    const all = leaves(7);
    const expected = [rootOf(all.slice(0, 4)), rootOf(all.slice(4, 6)), rootOf(all.slice(6))];
    expect(Frontier.empty.append(all).toBytes()).toEqual(Buffer.concat(expected));
  });

  test('refuses any number of bytes but that of the size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 260 }), (size, length) => {
        fc.pre(length !== Frontier.empty.append(leaves(size)).toBytes().length);
        expect(() => Frontier.restore(size, Buffer.alloc(length))).toThrow(
          new RegExp(`^The frontier of ${size} leaves is .* not ${length} bytes$`),
        );
      }),
    );
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, LARGEST + 1])('refuses the size %d', (size) => {
    expect(() => Frontier.restore(size, Buffer.alloc(32))).toThrow('A tree has 0 to 2^53 - 1 leaves');
  });
});

describe('a tree larger than 32 bits', () => {
  const subtrees = leaves(53);

  test.each([2 ** 31, 2 ** 32, 2 ** 40])('of %d leaves grows beside its one subtree', (size) => {
    const [full, leaf] = subtrees as [Buffer, Buffer];
    const grown = Frontier.restore(size, full).append([leaf]);
    expect(grown.size).toBe(size + 1);
    expect(grown.toBytes()).toEqual(Buffer.concat([full, leaf]));
    expect(grown.root()).toEqual(nodeHash(full, leaf));
  });

  test('of 2^40 - 1 leaves becomes one subtree with the next', () => {
    const almost = Frontier.restore(2 ** 40 - 1, Buffer.concat(subtrees.slice(0, 40)));
    const full = almost.append([subtrees[40]!]);
    const expected = subtrees.slice(0, 41).reduceRight((right, left) => nodeHash(left, right));
    expect(full.toBytes()).toEqual(expected);
    expect(full.root()).toEqual(expected);
  });

  test('takes its last leaf at 2^53 - 2, and none after it', () => {
    const [last] = leaves(1, 53) as [Buffer];
    const almost = Frontier.restore(LARGEST - 1, Buffer.concat(subtrees.slice(0, 52)));
    const full = almost.append([last]);
    expect(full.size).toBe(LARGEST);
    expect(full.toBytes()).toEqual(Buffer.concat([...subtrees.slice(0, 52), last]));
    expect(() => full.append([last])).toThrow('A tree has at most 2^53 - 1 leaves');
    expect(() => almost.append([last, last])).toThrow(RangeError);
    expect(full.append([]).root()).toEqual(full.root());
  });
});
