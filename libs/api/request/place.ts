import type { Place } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';

/** What a page's `next` looks like: where its last session lives, which tells nothing but that. */
export function encodePlace({ partition, scopeId }: Place): string {
  return `${partition}.${scopeId}`;
}

/** The place after which a page begins. Throws `invalid-request` for what no page has said. */
export function decodePlace(next: string): Place {
  const [, partition, scopeId = ''] = /^(\d{1,4})\.([0-9a-f]{32})$/.exec(next) ?? [];
  if (partition === undefined) {
    throw new ProblemError('invalid-request', 'query.next has to be the next of the page before');
  }
  return { partition: Number(partition), scopeId };
}
