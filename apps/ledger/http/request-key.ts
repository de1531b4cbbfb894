import type { FastifyRequest } from 'fastify';
import { type OperationId, operations } from '#contracts';
import type { KeyedRequest } from '../submissions.js';

type Keyed = FastifyRequest<{ Params: { sessionId?: string } }>;

/** A request as its idempotency receipt remembers it. The key was checked. */
export function keyedRequest(id: OperationId, { headers, params, body }: FastifyRequest): KeyedRequest {
  const { sessionId } = params as Keyed['params'];
  const { path } = operations[id];
  return {
    key: headers['idempotency-key'] as string | undefined,
    path: sessionId === undefined ? path : path.replace(':sessionId', sessionId),
    body,
  };
}
