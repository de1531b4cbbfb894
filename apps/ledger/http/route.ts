import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access, Reached } from '#access';
import {
  type Answered,
  type Asked,
  type Caller,
  checkRequestKey,
  inexactNumber,
  type Ledger,
  ProblemError,
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
export function bindOperations(
  app: NestFastifyApplication,
  ledger: Ledger,
  streams: Streams,
  access: Access,
): void {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  for (const id of Object.keys(operations) as OperationId[]) {
    const operation: Operation = operations[id];
    const { method, path, params, query, body, needs } = operation;
    const serve = serving[id] as Serve;
    const counted = isReading(operation) ? 'reads' : 'commands';
    const takesKey = method === 'POST' || method === 'PATCH';
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        const asked = askedBy(request, reply, path, takesKey, access);
        const { body } = asked;
        const reached = access.take(request.asking, counted, Array.isArray(body) ? body.length : 1);
        if (reached) throw limited(reply, reached);
        const answered = await serve(asked, ledger);
        if (asked.isRevoked)
          throw new ProblemError('unauthenticated', 'The credential does not count any more.');
        sendAnswer(reply, answered, streams, access);
      } catch (error) {
        reply.send(error);
      }
    };
    fastify.route({
      method,
      url: path,
      config: { needs },
      schema: { ...(params && { params }), ...(query && { querystring: query }), ...(body && { body }) },
      handler(request, reply) {
        answer(request, reply); // not returned: Fastify would take what it resolves to for the answer
      },
    });
  }
}

function isReading({ needs }: Operation): boolean {
  return needs === 'nothing' || needs.some((one) => one === 'read' || one === 'audit');
}

/** Tells of a limit as draft-ietf-httpapi-ratelimit-headers-10 does, besides Retry-After. */
function limited(reply: FastifyReply, { policy, perSecond, seconds }: Reached): ProblemError {
  reply.headers({
    'ratelimit-policy': `"${policy}";q=${perSecond};w=1`,
    ratelimit: `"${policy}";r=0;t=${seconds}`,
  });
  const detail = `${policy}: at most ${perSecond} items a second, each of a list counted.`;
  return new ProblemError('rate-limited', detail, {}, seconds);
}

/** What a request asks, which Fastify has checked. Throws ProblemError for what no schema can say. */
function askedBy(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  takesKey: boolean,
  access: Access,
): AskedByRequest {
  const key = takesKey ? (request.headers['idempotency-key'] as string | undefined) : undefined;
  if (key !== undefined) checkRequestKey(key);
  if (request.inexact !== undefined) throw inexactNumber(request.inexact);
  return new AskedByRequest(path, key, request, reply, access);
}

/** Methods, not functions of its own: one is made for each request. */
class AskedByRequest implements Asked<OperationId> {
  readonly caller: Caller;
  /** The credential stopped counting while the answer was waited for. */
  isRevoked = false;
  readonly params: object;
  readonly query: object;
  readonly body: object;

  constructor(
    readonly path: string,
    readonly key: string | undefined,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly access: Access,
  ) {
    this.caller = request.asking.caller;
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
    const stop = this.access.hold('waits', this.request.asking, () => {
      this.isRevoked = true;
      gone.abort();
    });
    this.reply.raw.once('close', () => {
      stop();
      gone.abort();
    });
    return gone.signal;
  }
}
