// The proof: hashes of events, the Merkle tree of a partition (RFC 6962), and the keys that sign its roots. Pure.
// May import tlog and node:crypto.
// Start reading in frontier.ts: the tree as its head row keeps it.
export { Frontier } from './frontier.js';
export { emptyRoot, leafHash, nodeHash } from './hash.js';
export { rootOf } from './root-of.js';
export { makeSigningKey, parseSigningKey, type SigningKey, verifierOf } from './signing-key.js';
