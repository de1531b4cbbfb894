import { leafHash, nodeHash, rootOf } from '#audit';
import {
  consistentRoots,
  hashesOf,
  includedRoot,
  type ReadTiles,
  rangesOfConsistency,
  rangesOfInclusion,
  rootOfRange,
  TILE_WIDTH,
  type TlogError,
  tileRoot,
} from './index.js';

const leaves = Array.from({ length: 1_400 }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));
const rootAt = (size: number) => rootOf(leaves.slice(0, size));

/** As the definition of a tile says. */
const readTiles: ReadTiles = async (places) =>
  places.map(({ level, index, width }) => {
    const each = TILE_WIDTH ** level;
    const first = index * TILE_WIDTH;
    const roots = Array.from({ length: width }, (_, at) =>
      rootOf(leaves.slice((first + at) * each, (first + at + 1) * each)),
    );
    return Buffer.concat(roots);
  });

/** Around all that could be off by one: powers of two, and tiles. */
const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_025, 1_400];

test.each(sizes)('the tiles of a tree of %d leaves lead to its root', async (size) => {
  const root = await rootOfRange([0, size], size, readTiles, nodeHash);
  expect(Buffer.from(root)).toEqual(rootAt(size));
});

test.each(sizes)('each of %d leaves is proven by hashes that lead to the root', async (size) => {
  const step = Math.max(1, Math.floor(size / 40));
  for (let index = 0; index < size; index += step) {
    const hashes = await hashesOf(rangesOfInclusion(index, size), size, readTiles, nodeHash);
    const root = await includedRoot({ index, size, leaf: leaves[index]!, hashes }, nodeHash);
    expect(Buffer.from(root)).toEqual(rootAt(size));
    const other = await includedRoot({ index, size, leaf: leaves[(index + 1) % 1_400]!, hashes }, nodeHash);
    expect(Buffer.from(other)).not.toEqual(rootAt(size));
  }
});

test('a tree is proven to begin with every earlier one', async () => {
  for (const size of sizes) {
    for (const before of sizes.filter((one) => one < size)) {
      const hashes = await hashesOf(rangesOfConsistency(before, size), size, readTiles, nodeHash);
      const rootBefore = rootAt(before);
      const roots = await consistentRoots({ before, size, rootBefore, hashes }, nodeHash);
      expect([roots.before, roots.after].map((root) => Buffer.from(root))).toEqual([
        rootBefore,
        rootAt(size),
      ]);
      const forked = leafHash(Buffer.from('another past'));
      const wrong = await consistentRoots({ before, size, rootBefore: forked, hashes }, nodeHash);
      expect(Buffer.from(wrong.after).equals(rootAt(size)) && Buffer.from(wrong.before).equals(forked)).toBe(
        false,
      );
    }
  }
});

describe('a proof with another number of hashes', () => {
  const faultOf = (proof: Promise<unknown>) =>
    proof.then(
      () => 'none',
      (error: TlogError) => error.fault,
    );
  test.each([1, -1])('is refused (%d more)', async (more) => {
    for (const size of sizes.filter((one) => one > 2)) {
      const leaf = leaves[1]!;
      const inclusion = await hashesOf(rangesOfInclusion(1, size), size, readTiles, nodeHash);
      const consistency = await hashesOf(rangesOfConsistency(size - 1, size), size, readTiles, nodeHash);
      const changed = (hashes: Uint8Array[]) => (more > 0 ? [...hashes, leaf] : hashes.slice(0, -1));
      const included = includedRoot({ index: 1, size, leaf, hashes: changed(inclusion) }, nodeHash);
      expect(await faultOf(included)).toBe('not-included');
      const rootBefore = rootAt(size - 1);
      const proof = { before: size - 1, size, rootBefore, hashes: changed(consistency) };
      expect(await faultOf(consistentRoots(proof, nodeHash))).toBe('inconsistent');
    }
  });
});

test('a full tile stands for the tree over its hashes', async () => {
  const root = await tileRoot(Buffer.concat(leaves.slice(0, TILE_WIDTH)), nodeHash);
  expect(Buffer.from(root)).toEqual(rootAt(TILE_WIDTH));
});

test('a leaf that is not in the tree has no proof', async () => {
  const proof = { index: 5, size: 5, leaf: leaves[0]!, hashes: [] };
  await expect(includedRoot(proof, nodeHash)).rejects.toThrow('leaf 5 is not in a tree of 5 leaves');
});
