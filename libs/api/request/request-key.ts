import { ProblemError } from '../problems/problem-error.js';

/** Throws `invalid-request` for an Idempotency-Key that cannot be one. */
export function checkRequestKey(key: string | null | undefined): void {
  if (key === undefined || key === null || (key.length >= 1 && key.length <= 256)) return;
  throw new ProblemError('invalid-request', 'header.idempotency-key has to be 1 to 256 characters');
}
