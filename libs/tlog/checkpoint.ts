import { fromBase64, toBase64 } from './base64.js';
import { TlogError } from './errors.js';

/** What a log says of itself (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  /** The log's name: here `<name of the ledger>/<partition>`. */
  origin: string;
  /** Number of leaves, 0 to 2^53 - 1. */
  size: number;
  /** 32 bytes. */
  root: Uint8Array;
}

/** The note's text: three lines. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** Reads the text of a note; lines after the third are not ours, and allowed. @throws TlogError `malformed` */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', digits = '', root = '', ...more] = text.split('\n');
  const size = /^(0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  if (origin === '' || !Number.isSafeInteger(size) || more.at(-1) !== '' || more.slice(0, -1).includes('')) {
    throw new TlogError('malformed', 'this is no checkpoint: its lines are origin, size and root');
  }
  return { origin, size, root: fromBase64(root, 32) };
}
