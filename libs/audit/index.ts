// The proof: hashes of events, and the Merkle tree of a partition (RFC 6962). Pure.
// May import node:crypto.
// Start reading in frontier.ts: the tree as its head row keeps it.
export { Frontier } from './frontier.js';
export { emptyRoot, leafHash, nodeHash } from './hash.js';
export { rootOf } from './root-of.js';
