import type { Place } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { decodePlace } from './place.js';

interface CurrentQuery {
  projectId?: string;
  wait?: number;
  after?: number;
  all?: boolean;
  next?: string;
  asOf?: string;
  include?: 'lease';
}

/** What GET /v1/current is asked for: one scope now, or once it has changed; as it was; or all of a user. */
export type CurrentRead =
  | { of: 'now'; wait: number | undefined; after: number; withLease: boolean }
  | { of: 'past'; asOf: string }
  | { of: 'user'; after: Place | undefined };

/** Throws `invalid-request` for what does not go together. */
export function currentRead(query: CurrentQuery, ifNoneMatch: string | undefined | null): CurrentRead {
  const { wait, after, all, next, asOf, include } = query;
  const withLease = include === 'lease';
  if (withLease && typeof ifNoneMatch === 'string') {
    throw new ProblemError(
      'invalid-request',
      'header.if-none-match cannot be combined with query.include: an ETag does not change with a renewal',
    );
  }
  if (all) {
    for (const name of ['projectId', 'wait', 'after', 'asOf', 'include'] as const) {
      if (query[name] === undefined) continue;
      throw new ProblemError(
        'invalid-request',
        `query.${name} is for one scope, query.all for all of a user`,
      );
    }
    if (typeof ifNoneMatch === 'string') {
      throw new ProblemError('invalid-request', 'header.if-none-match is for one scope: pages have no ETag');
    }
    return { of: 'user', after: next === undefined ? undefined : decodePlace(next) };
  }
  if (next !== undefined) throw new ProblemError('invalid-request', 'query.next needs query.all=true');
  if (asOf === undefined) return { of: 'now', wait, after: after ?? 0, withLease };
  if (withLease) {
    throw new ProblemError(
      'invalid-request',
      'query.include works for the present only: leave out query.asOf',
    );
  }
  if (wait !== undefined || after !== undefined) {
    throw new ProblemError('invalid-request', 'query.asOf cannot be waited for: leave out wait and after');
  }
  return { of: 'past', asOf };
}
