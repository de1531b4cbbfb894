import { ProblemError } from './problem-error.js';

/** The id of a feed stream's event: how far each partition has been sent, so that any of them can resume it. */
export function encodeVector(sequences: readonly number[]): string {
  return sequences.map((sequence) => sequence.toString(36)).join('.');
}

/** The vector of a Last-Event-ID. Throws `invalid-request` for what this ledger has not given out. */
export function decodeVector(id: string, partitions: number): number[] {
  const parts = id.split('.');
  const valid = parts.length === partitions && parts.every((part) => /^[0-9a-z]{1,11}$/.test(part));
  const sequences = valid ? parts.map((part) => Number.parseInt(part, 36)) : [];
  if (!valid || sequences.some((sequence) => !Number.isSafeInteger(sequence))) {
    throw new ProblemError('invalid-request', 'header.last-event-id is not an id of this stream');
  }
  return sequences;
}
