import { createHash, hash } from 'node:crypto';

/** Bytes of every hash in the tree (SHA-256). */
export const HASH_BYTES = 32;

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
export function assertHash(candidate: Uint8Array): void {
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
