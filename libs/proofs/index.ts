// What proves that the log is whole: tiles of its trees, signed roots, kept ones.
// May import api, audit, log, postgres, projections, tlog and waiting.
// Start reading in partition-trees.ts: what proofs are made of. tile-maker.ts works off the commands' path.
export { Checkpoints } from './checkpoints.js';
export { PartitionTrees } from './partition-trees.js';
export { makeKeyFile, ownSigningKey, readSigningKey, readSigningKeys } from './signing-keys.js';
export { TileMaker } from './tile-maker.js';
export { Tiles } from './tiles.js';
export { rebuildTiles, verifyTiles } from './verify-tiles.js';
