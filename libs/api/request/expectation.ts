import { ProblemError } from '../problems/problem-error.js';

/** Throws `expectation-failed` for what a request expects and nobody here can give (RFC 9110, section 10.1.1). */
export function checkExpectation(expect: string | null | undefined): void {
  if (!expect || expect.toLowerCase() === '100-continue') return;
  throw new ProblemError('expectation-failed', 'header.expect has to be 100-continue, or left out');
}
