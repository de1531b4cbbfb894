// The proof: hashes of events, the Merkle tree of a partition (RFC 6962), and the keys that sign its roots. Pure.
// May import tlog and node:crypto.
// Start reading in merkle-tree.ts: its Frontier is the tree as a head row keeps it.
export { emptyRoot, Frontier, leafHash, nodeHash, rootOf } from './merkle-tree.js';
export { makeSigningKey, parseSigningKey, type SigningKey, verifierOf } from './signing-key.js';
