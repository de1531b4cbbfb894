import type { IncomingMessage } from 'node:http';
import { checkExpectation, ProblemError } from '#api';

/** Nobody could tell which of two is meant. */
const SINGLE = new Set(['host', 'authorization', 'content-type', 'idempotency-key']);

/** Throws `invalid-request` for headers that mean nothing, or several things; `expectation-failed` for an `Expect`. */
export function checkHeaders({ headers, rawHeaders, httpVersion }: IncomingMessage): void {
  if (headers.host === undefined && httpVersion === '1.1') {
    throw new ProblemError('invalid-request', 'header.host is missing');
  }
  checkExpectation(headers.expect);
  // Node joins headers of one name, or drops the second one: then there are fewer than came.
  if (Object.keys(headers).length === rawHeaders.length / 2) return;
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (SINGLE.has(name) && seen.has(name)) {
      throw new ProblemError('invalid-request', `header.${name} is there twice: send it once`);
    }
    seen.add(name);
  }
}
