import type { Selection } from '#session';
import { ProblemError } from '../problems/problem-error.js';

/** What a request selects. Throws `invalid-request` unless it names a user or an environment, and not both. */
export function selectionOf(select: { userId?: string; environment?: string; instance?: string }): Selection {
  const { userId, environment, instance } = select;
  if (userId !== undefined) {
    if (environment === undefined && instance === undefined) return { userId };
    throw new ProblemError('invalid-request', 'body.select has to name userId or environment, not both');
  }
  if (environment !== undefined) return { environment, ...(instance !== undefined && { instance }) };
  throw new ProblemError(
    'invalid-request',
    'body.select has to name userId or environment: without either it would mean every session',
  );
}
