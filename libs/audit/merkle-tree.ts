import { createHash, hash } from 'node:crypto';

/** Bytes of every hash in the tree (SHA-256). */
const HASH_BYTES = 32;

const LEAF = 0x00;
const NODE = 0x01;

/** Events are a few hundred bytes; a larger one takes the slower way. */
const LEAF_SCRATCH_BYTES = 16 * 1024;

// One call to OpenSSL wants prefix and data in one piece. Both areas are filled and read within one synchronous
// call, so sharing them is safe and saves an allocation an event.
const leafScratch = prefixed(LEAF, LEAF_SCRATCH_BYTES);
const nodeScratch = prefixed(NODE, 2 * HASH_BYTES);

/**
 * The root of a tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1).
 * Shared by everyone: never write into it.
 */
export const emptyRoot: Buffer = sha256(new Uint8Array(0));

/**
 * The hash of one leaf: SHA-256(0x00 ‖ bytes) (RFC 6962 section 2.1).
 *
 * @param bytes the event exactly as stored; any length, also none. Not kept.
 * @returns 32 bytes that belong to the caller
 */
export function leafHash(bytes: Uint8Array): Buffer {
  if (bytes.length > LEAF_SCRATCH_BYTES) {
    return createHash('sha256').update(Uint8Array.of(LEAF)).update(bytes).digest();
  }
  leafScratch.set(bytes, 1);
  return sha256(leafScratch.subarray(0, 1 + bytes.length));
}

/**
 * The hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 section 2.1). The prefix differs from a
 * leaf's, so that an inner node can never be passed off as an event.
 *
 * @param left the 32-byte hash of the older, full subtree. Not kept.
 * @param right the 32-byte hash of the newer subtree. Not kept.
 * @returns 32 bytes that belong to the caller
 * @throws RangeError when a hash is not 32 bytes long
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  assertHash(left);
  assertHash(right);
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + HASH_BYTES);
  return sha256(nodeScratch);
}

/** @throws RangeError unless it is 32 bytes long: a shorter one would leave old bytes in the scratch area */
function assertHash(candidate: Uint8Array): void {
  if (candidate.length !== HASH_BYTES) {
    throw new RangeError(`A tree hash has ${HASH_BYTES} bytes, this one has ${candidate.length}`);
  }
}

function prefixed(prefix: number, room: number): Uint8Array {
  const scratch = new Uint8Array(1 + room);
  scratch[0] = prefix;
  return scratch;
}

// By way of a latin1 string: on Node 20, 22 and 24 crypto.hash makes a string in less than half the time of a
// Buffer, so that a node takes 475 instead of 750 ns even with the copy.
function sha256(data: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1');
}

/**
 * The right edge of a Merkle tree (RFC 6962 section 2.1): the roots of its full subtrees, largest first, one for
 * every 1 in the binary form of its size. It is all that appending needs: a tree of a billion events fits in
 * 30 hashes or fewer.
 *
 * A value: `append` gives a new frontier and leaves this one as it was, so that a batch which the database
 * rejects costs nothing to forget.
 */
export class Frontier {
  /** The tree without leaves. */
  static readonly empty = new Frontier(0, []);

  private constructor(
    /** Number of leaves, 0 to 2^53 - 1. */
    readonly size: number,
    private readonly subtrees: readonly Buffer[],
  ) {}

  /**
   * Reads back what `toBytes` wrote. The bytes are copied.
   *
   * A wrong hash of the right length can not be noticed here: compare `root()` with a root that is known.
   *
   * @param size number of leaves, 0 to 2^53 - 1, stored beside the bytes
   * @throws RangeError when size is not such a number, or when the bytes are not one hash of 32 bytes for every
   * 1 in its binary form
   */
  static restore(size: number, bytes: Uint8Array): Frontier {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`A tree has 0 to 2^53 - 1 leaves, not ${size}`);
    }
    const count = onesIn(size);
    if (bytes.length !== count * HASH_BYTES) {
      throw new RangeError(
        `The frontier of ${size} leaves is ${count} hashes (${count * HASH_BYTES} bytes), not ${bytes.length} bytes`,
      );
    }
    const own = Buffer.from(bytes);
    const subtrees = Array.from({ length: count }, (_, i) =>
      own.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    );
    return new Frontier(size, subtrees);
  }

  /**
   * The tree with these leaves added, in order. Takes at most one inner hash a leaf and one for each
   * subtree held so far: with the leaf's own hash about two an event.
   *
   * @param leafHashes from `leafHash`, 32 bytes each. Not kept.
   * @throws RangeError when a hash is not 32 bytes long, or when the tree would have more than 2^53 - 1 leaves;
   * this frontier stays usable
   */
  append(leafHashes: readonly Uint8Array[]): Frontier {
    const size = this.size + leafHashes.length;
    if (!Number.isSafeInteger(size)) throw new RangeError('A tree has at most 2^53 - 1 leaves');

    const subtrees = this.subtrees.slice();
    let before = this.size;
    for (const leaf of leafHashes) {
      assertHash(leaf);
      subtrees.push(withSubtreesMerged(subtrees, before, leaf));
      before += 1;
    }
    return new Frontier(size, subtrees);
  }

  /**
   * The Merkle tree hash over all leaves; `emptyRoot` when there are none. One hash for every subtree but the
   * first, so ask once a batch, not once an event.
   *
   * @returns 32 bytes that belong to the caller
   */
  root(): Buffer {
    let root = this.subtrees.at(-1) ?? emptyRoot;
    for (let i = this.subtrees.length - 2; i >= 0; i--) root = nodeHash(this.subtrees[i]!, root);
    return Buffer.from(root);
  }

  /**
   * For storage beside `size`: the 32-byte hashes of the full subtrees, largest first, nothing else.
   *
   * @returns at most 53 × 32 bytes that belong to the caller
   */
  toBytes(): Buffer {
    return Buffer.concat(this.subtrees);
  }
}

/**
 * Carries as binary counting does: every trailing 1 of the size before is a full subtree as large as what the
 * leaf has grown to, and is taken off to become its left half.
 */
function withSubtreesMerged(subtrees: Buffer[], sizeBefore: number, leaf: Uint8Array): Buffer {
  if (sizeBefore % 2 === 0) return Buffer.from(leaf); // kept, so it must not be the caller's

  let node: Uint8Array = leaf;
  // Division, because the bit operators would cut a size beyond 2^32 off.
  for (let rest = sizeBefore; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeHash(subtrees.pop()!, node);
  return node as Buffer;
}

function onesIn(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

/**
 * The Merkle tree hash as RFC 6962 section 2.1 defines it, word for word: slow to ask again and again, but easy to
 * check against the text. For verifiers, and to hold `Frontier` against.
 *
 * @param leafHashes all leaves in order, from `leafHash`, 32 bytes each
 * @returns 32 bytes that belong to the caller
 * @throws RangeError when a hash is not 32 bytes long
 */
export function rootOf(leafHashes: readonly Uint8Array[]): Buffer {
  return Buffer.from(leafHashes.length === 0 ? emptyRoot : subtreeRoot(leafHashes, 0, leafHashes.length));
}

/** The root over the leaves from `start` up to, without, `end`; at least one. Depth is log2 of their number. */
function subtreeRoot(leafHashes: readonly Uint8Array[], start: number, end: number): Uint8Array {
  if (end - start === 1) {
    const leaf = leafHashes[start]!;
    assertHash(leaf);
    return leaf;
  }
  const middle = start + largestPowerOfTwoBelow(end - start);
  return nodeHash(subtreeRoot(leafHashes, start, middle), subtreeRoot(leafHashes, middle, end));
}

function largestPowerOfTwoBelow(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
