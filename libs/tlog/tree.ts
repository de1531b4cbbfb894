import { TILE_WIDTH, type TilePlace, widthAt } from './tile.js';

/** SHA-256 of 0x01 and both, as RFC 6962 section 2.1 has it. */
export type NodeHash = (left: Uint8Array, right: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** The hashes of tiles, one after the other in the order asked for; each exactly as wide as was asked. */
export type ReadTiles = (places: readonly TilePlace[]) => Promise<readonly Uint8Array[]>;

/** Leaves from the first up to, without, the second. */
export type Range = readonly [from: number, to: number];

/** A full subtree: 2^height leaves from `index * 2^height` on. */
interface Subtree {
  height: number;
  index: number;
}

/**
 * The ranges whose hashes prove that leaf `index` is in a tree of `size` leaves, from the leaf's sibling up
 * (RFC 6962 section 2.1.1). `index` is below `size`.
 */
export function rangesOfInclusion(index: number, size: number): Range[] {
  const ranges: Range[] = [];
  for (let [from, to] = [0, size]; to - from > 1; ) {
    const middle = from + largestPowerBelow(to - from);
    const isLeft = index < middle;
    ranges.push(isLeft ? [middle, to] : [from, middle]);
    if (isLeft) to = middle;
    else from = middle;
  }
  return ranges.reverse();
}

/**
 * The ranges whose hashes prove that a tree of `size` leaves begins with the one of `before` leaves (RFC 6962
 * section 2.1.2). `before` is 1 to `size`; of equal sizes there is nothing to prove.
 */
export function rangesOfConsistency(before: number, size: number): Range[] {
  const ranges: Range[] = [];
  let [from, to] = [0, size];
  while (to !== before) {
    const middle = from + largestPowerBelow(to - from);
    const isLeft = before <= middle;
    ranges.push(isLeft ? [middle, to] : [from, middle]);
    if (isLeft) to = middle;
    else from = middle;
  }
  // A left edge that is the old tree itself needs no hash: who checks has its root.
  if (from > 0) ranges.push([from, to]);
  return ranges.reverse();
}

/**
 * The hashes of ranges of a tree of `size` leaves, from its tiles: about two for each of its levels.
 * The ranges are those that the functions here give.
 */
export async function hashesOf(
  ranges: readonly Range[],
  size: number,
  readTiles: ReadTiles,
  nodeHash: NodeHash,
): Promise<Uint8Array[]> {
  const places = new Map<string, TilePlace>();
  for (const subtree of ranges.flatMap(subtreesOf)) {
    const { place } = inTile(subtree, size);
    places.set(`${place.level}/${place.index}`, place);
  }
  const wanted = [...places.values()];
  const read = wanted.length > 0 ? await readTiles(wanted) : [];
  const tiles = new Map([...places.keys()].map((key, at) => [key, read[at] as Uint8Array]));
  const hashes: Uint8Array[] = [];
  for (const range of ranges) {
    const roots: Uint8Array[] = [];
    for (const subtree of subtreesOf(range)) {
      const { place, offset, count } = inTile(subtree, size);
      const tile = tiles.get(`${place.level}/${place.index}`) as Uint8Array;
      roots.push(await rootOf(hashesIn(tile, offset, count), nodeHash));
    }
    hashes.push(await joined(roots, nodeHash));
  }
  return hashes;
}

/** The root of a whole tree, or of a range that begins at a multiple of a power of two that is not smaller. */
export async function rootOfRange(
  range: Range,
  size: number,
  readTiles: ReadTiles,
  nodeHash: NodeHash,
): Promise<Uint8Array> {
  const [hash] = await hashesOf([range], size, readTiles, nodeHash);
  return hash as Uint8Array;
}

/** The hash that stands for a full tile a level up. */
export function tileRoot(tile: Uint8Array, nodeHash: NodeHash): Promise<Uint8Array> {
  return rootOf(hashesIn(tile, 0, TILE_WIDTH), nodeHash);
}

/** What the range consists of, largest first: its tree is not full only at its right edge. */
function subtreesOf([from, to]: Range): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = from; at < to; ) {
    let height = 0;
    while (2 ** (height + 1) <= to - at) height += 1;
    subtrees.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return subtrees;
}

/** Where a subtree's root stands, or what it is made of: `count` hashes of a tile from `offset` on. */
function inTile({ height, index }: Subtree, size: number) {
  const level = Math.floor(height / 8);
  const count = 2 ** (height % 8);
  const first = index * count;
  const place = { level, index: Math.floor(first / TILE_WIDTH) };
  return { place: { ...place, width: widthAt(place, size) }, offset: first % TILE_WIDTH, count };
}

function hashesIn(tile: Uint8Array, offset: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => tile.subarray((offset + at) * 32, (offset + at + 1) * 32));
}

/** Of a power of two of hashes. */
async function rootOf(hashes: Uint8Array[], nodeHash: NodeHash): Promise<Uint8Array> {
  let row = hashes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < row.length; at += 2) {
      const node = nodeHash(row[at] as Uint8Array, row[at + 1] as Uint8Array);
      above.push(node instanceof Promise ? await node : node);
    }
    row = above;
  }
  return row[0] as Uint8Array;
}

/** Of subtrees from the largest to the smallest. */
async function joined(roots: readonly Uint8Array[], nodeHash: NodeHash): Promise<Uint8Array> {
  let root = roots.at(-1) as Uint8Array;
  for (const left of roots.slice(0, -1).reverse()) root = await nodeHash(left, root);
  return root;
}

/** The largest power of two that is smaller than a number of at least 2. */
function largestPowerBelow(number: number): number {
  let power = 1;
  while (power * 2 < number) power *= 2;
  return power;
}
