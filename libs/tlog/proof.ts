import { fromBase64, toBase64 } from './base64.js';
import { TlogError } from './errors.js';

/** A proof that a leaf is in a log (c2sp.org/tlog-proof). */
export interface TlogProof {
  /** Of the leaf, from 0: an event's is its sequence less one. */
  index: number;
  /** From the leaf's sibling up. */
  hashes: readonly Uint8Array[];
  /** The signed note. */
  checkpoint: string;
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
/** A tree has at most 2^53 leaves. */
const MOST_HASHES = 53;

export function tlogProofText({ index, hashes, checkpoint }: TlogProof): string {
  return `${FIRST_LINE}\nindex ${index}\n${hashes.map((hash) => `${toBase64(hash)}\n`).join('')}\n${checkpoint}`;
}

/** Says nothing of whether it proves anything. @throws TlogError `malformed` */
export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  if (!text.startsWith(`${FIRST_LINE}\n`) || end < 0)
    throw new TlogError('malformed', `this is no proof, or it was cut: it has to begin with ${FIRST_LINE}`);
  const lines = text.slice(0, end).split('\n').slice(1);
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const [, digits] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '') ?? [];
  const index = Number(digits);
  if (!Number.isSafeInteger(index)) throw new TlogError('malformed', 'the proof has no index');
  if (lines.length > MOST_HASHES) throw new TlogError('malformed', `a proof of ${lines.length} hashes`);
  return { index, hashes: lines.map((line) => fromBase64(line, 32)), checkpoint: text.slice(end + 2) };
}
