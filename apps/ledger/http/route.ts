import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type Answered,
  type Asked,
  anonymous,
  checkRequestKey,
  inexactNumber,
  type Ledger,
  serving,
} from '#api';
import { type Operation, type OperationId, operations } from '#api/schemas';
import type { Streams } from '../streams/streams.js';
import { sendAnswer } from './send-answer.js';

type Serve = (asked: Asked<OperationId>, ledger: Ledger) => Answered | Promise<Answered>;

/**
 * Binds the operations to Fastify, with the schemas that it validates with. Not through Nest's router, which took a
 * quarter of what the service spends on a read (docs/decisions/0014-routes.md).
 */
export function bindOperations(app: NestFastifyApplication, ledger: Ledger, streams: Streams): void {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  for (const id of Object.keys(operations) as OperationId[]) {
    const operation: Operation = operations[id];
    const { method, path, params, query, body } = operation;
    const serve = serving[id] as Serve;
    const takesKey = method === 'POST' || method === 'PATCH';
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        const asked = askedBy(request, reply, path, takesKey);
        sendAnswer(reply, await serve(asked, ledger), streams);
      } catch (error) {
        reply.send(error);
      }
    };
    fastify.route({
      method,
      url: path,
      schema: { ...(params && { params }), ...(query && { querystring: query }), ...(body && { body }) },
      handler(request, reply) {
        streams.turns.giveWay();
        answer(request, reply); // not returned: Fastify would take what it resolves to for the answer
      },
    });
  }
}

/** What a request asks, which Fastify has checked. Throws ProblemError for what no schema can say. */
function askedBy(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  takesKey: boolean,
): Asked<OperationId> {
  const key = takesKey ? (request.headers['idempotency-key'] as string | undefined) : undefined;
  if (key !== undefined) checkRequestKey(key);
  if (request.inexact !== undefined) throw inexactNumber(request.inexact);
  return new AskedByRequest(path, key, request, reply);
}

/** Methods, not functions of its own: one is made for each request. */
class AskedByRequest implements Asked<OperationId> {
  readonly caller = anonymous;
  readonly params: object;
  readonly query: object;
  readonly body: object;

  constructor(
    readonly path: string,
    readonly key: string | undefined,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
  ) {
    this.params = request.params as object;
    this.query = request.query as object;
    this.body = request.body as object;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return value === undefined ? undefined : String(value);
  }

  gone(): AbortSignal {
    const gone = new AbortController();
    this.reply.raw.once('close', () => gone.abort());
    return gone.signal;
  }
}
