import { assertHash, emptyRoot, nodeHash } from './hash.js';

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
