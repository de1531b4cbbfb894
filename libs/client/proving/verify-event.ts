import { consistentRoots, includedRoot, type NodeHash, parseTlogProof, TlogError } from '#tlog';
import { isSame, leafHash, nodeHash, sha256 } from './sha256.js';
import { type SignedCheckpoint, verifyCheckpoint } from './verifier.js';

export interface EventProof {
  /** The event's very bytes, as a record's value in Kafka has them, or as text; not parsed and written again. */
  event: Uint8Array | string;
  /** What `/v1/audit/proof` answered. */
  proof: string;
  /** Verifier keys of the ledger. */
  keys: readonly string[];
  /** Of your own, in place of the platform's SHA-256: many proofs of one tree share most of it. */
  nodeHash?: NodeHash;
}

/** An event that stands in the log for good, and where. */
export interface VerifiedEvent {
  partition: number;
  sequence: number;
  checkpoint: SignedCheckpoint;
}

/**
 * Verifies, asking nobody, that an event is in the log whose checkpoint the proof carries, at the place that it says of
 * itself.
 *
 * @throws TlogError: its `fault` says what is the matter, its message which position
 */
export async function verifyEvent({
  event,
  proof,
  keys,
  nodeHash: hash = nodeHash,
}: EventProof): Promise<VerifiedEvent> {
  const { index, hashes, checkpoint: note } = parseTlogProof(proof);
  const checkpoint = await verifyCheckpoint(note, keys);
  const bytes = typeof event === 'string' ? new TextEncoder().encode(event) : event;
  const position = `${checkpoint.partition}:${index + 1}`;
  const leaf = await leafHash(bytes);
  const root = await includedRoot({ index, size: checkpoint.size, leaf, hashes }, hash);
  if (!isSame(root, checkpoint.root)) {
    const what =
      'this event is not the one that the log has there: it, or the proof, was changed, or is of another place';
    throw new TlogError('not-included', `${position}: ${what}`);
  }
  const named = idOf(bytes);
  if (named !== position)
    throw new TlogError('not-included', `${position}: the event says of itself that it is ${named}`);
  return { partition: checkpoint.partition, sequence: index + 1, checkpoint };
}

function idOf(bytes: Uint8Array): unknown {
  try {
    return (JSON.parse(new TextDecoder().decode(bytes)) as { id?: unknown }).id;
  } catch {
    return 'no event';
  }
}

export interface ConsistencyOfTrees {
  /** The signed note of the earlier one, as it was kept. */
  before: string;
  after: string;
  /** What `/v1/audit/consistency` answered for both sizes. */
  hashes: readonly Uint8Array[];
  keys: readonly string[];
}

/**
 * Verifies that a log has grown from an earlier checkpoint: nothing that was in it has been changed, moved or taken out.
 *
 * @throws TlogError `inconsistent` or `shrunk`, or what is the matter with a checkpoint
 */
export async function verifyConsistency({ before, after, hashes, keys }: ConsistencyOfTrees): Promise<{
  before: SignedCheckpoint;
  after: SignedCheckpoint;
}> {
  const [older, newer] = [await verifyCheckpoint(before, keys), await verifyCheckpoint(after, keys)];
  const { origin, size } = older;
  if (origin !== newer.origin)
    throw new TlogError('another-log', `one checkpoint is of ${origin}, the other of ${newer.origin}`);
  if (size > newer.size)
    throw new TlogError('shrunk', `partition ${older.partition} had ${size} events, and has ${newer.size}`);
  const changed = new TlogError(
    'inconsistent',
    `partition ${older.partition}: something at or before ${older.partition}:${size} is not what it was when the checkpoint was signed`,
  );
  if (size === 0 && !isSame(older.root, await sha256())) throw changed;
  if (size === newer.size) {
    if (!isSame(older.root, newer.root)) throw changed;
  } else if (size > 0) {
    const grown = { before: size, size: newer.size, rootBefore: older.root, hashes };
    const roots = await consistentRoots(grown, nodeHash);
    if (!isSame(roots.before, older.root) || !isSame(roots.after, newer.root)) throw changed;
  }
  return { before: older, after: newer };
}
