import { TlogError } from './errors.js';
import type { NodeHash } from './tree.js';

/** The leaf that a proof is of, by its number from 0. */
export interface Included {
  index: number;
  size: number;
  leaf: Uint8Array;
  hashes: readonly Uint8Array[];
}

/**
 * The root of the tree in which the proof puts the leaf (RFC 9162 section 2.1.3.2): compare it with a signed one.
 *
 * @throws TlogError `not-included` when the proof has too few or too many hashes for the size
 */
export async function includedRoot(
  { index, size, leaf, hashes }: Included,
  nodeHash: NodeHash,
): Promise<Uint8Array> {
  if (index >= size) throw new TlogError('not-included', `leaf ${index} is not in a tree of ${size} leaves`);
  let [at, last, root] = [index, size - 1, leaf];
  for (const hash of hashes) {
    if (last === 0) throw new TlogError('not-included', 'the proof has too many hashes');
    if (at % 2 === 1 || at === last) {
      root = await nodeHash(hash, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      root = await nodeHash(root, hash);
    }
    [at, last] = [half(at), half(last)];
  }
  if (last !== 0) throw new TlogError('not-included', 'the proof has too few hashes');
  return root;
}

/** Two trees of one log. */
export interface Grown {
  before: number;
  size: number;
  rootBefore: Uint8Array;
  hashes: readonly Uint8Array[];
}

/**
 * Both roots that a proof of consistency leads to (RFC 9162 section 2.1.4.2): both have to be the signed ones.
 * `before` is 1 to `size - 1`.
 *
 * @throws TlogError `inconsistent` when the proof has too few or too many hashes for the sizes
 */
export async function consistentRoots(
  { before, size, rootBefore, hashes }: Grown,
  nodeHash: NodeHash,
): Promise<{ before: Uint8Array; after: Uint8Array }> {
  if (!(before >= 1 && before < size))
    throw new TlogError('inconsistent', `a tree of ${before} does not grow to one of ${size}`);
  const path = isPowerOfTwo(before) ? [rootBefore, ...hashes] : hashes;
  let [at, last] = [before - 1, size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let [left, right] = [path[0], path[0]];
  if (!left || !right) throw new TlogError('inconsistent', 'the proof has too few hashes');
  for (const hash of path.slice(1)) {
    if (last === 0) throw new TlogError('inconsistent', 'the proof has too many hashes');
    if (at % 2 === 1 || at === last) {
      left = await nodeHash(hash, left);
      right = await nodeHash(hash, right);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      right = await nodeHash(right, hash);
    }
    [at, last] = [half(at), half(last)];
  }
  if (last !== 0) throw new TlogError('inconsistent', 'the proof has too few hashes');
  return { before: left, after: right };
}

const half = (number: number): number => Math.floor(number / 2);

function isPowerOfTwo(number: number): boolean {
  let rest = number;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
