// The formats and the arithmetic of transparency logs as C2SP writes them down: notes, checkpoints, proofs, tiles.
// May import nothing: the published client brings it to browsers. Who uses it gives it a hash function.
// Start reading in tree.ts: which hashes a proof is made of. note.ts has what is signed.
export { fromBase64, toBase64 } from './base64.js';
export { type Checkpoint, checkpointText, parseCheckpoint } from './checkpoint.js';
export { cosignedText } from './cosignature.js';
export { TlogError, type TlogFault } from './errors.js';
export {
  type Note,
  noteText,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  type Signature,
  type VerifierKey,
  verifierKeyText,
} from './note.js';
export { parseTlogProof, type TlogProof, tlogProofText } from './proof.js';
export {
  fullTiles,
  parseTilePath,
  TILE_BYTES,
  TILE_WIDTH,
  type TilePlace,
  tilePath,
  widthAt,
} from './tile.js';
export {
  hashesOf,
  type NodeHash,
  type Range,
  type ReadTiles,
  rangesOfConsistency,
  rangesOfInclusion,
  rootOfRange,
  tileRoot,
} from './tree.js';
export { consistentRoots, includedRoot } from './verify.js';
