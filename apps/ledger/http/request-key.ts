import type { FastifyRequest } from 'fastify';
import { ProblemError } from '#protocol';
import type { KeyedRequest } from '../submissions.js';

/** A request as its idempotency receipt remembers it. Throws `invalid-request` for a key that cannot be one. */
export function keyedRequest(request: FastifyRequest): KeyedRequest {
  const key = request.headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || key.length < 1 || key.length > 256)) {
    throw new ProblemError('invalid-request', 'header.idempotency-key has to be 1 to 256 characters');
  }
  return { key, path: request.url, body: request.body };
}
