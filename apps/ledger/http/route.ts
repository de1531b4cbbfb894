import assert from 'node:assert/strict';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preHandlerHookHandler,
  preValidationHookHandler,
} from 'fastify';
import type { Access, Reached } from '#access';
import {
  type Answered,
  type Asked,
  type Caller,
  checkRequestKey,
  inexactNumber,
  type Ledger,
  type One,
  type Problem,
  ProblemError,
  serving,
  traceparentOf,
} from '#api';
import { type Operation, type OperationId, operations } from '#api/schemas';
import type { Faults } from '../faults.js';
import type { Streams } from '../streams/streams.js';
import type { Admission } from './admission/admission.js';
import type { TenantTurns, Caller as TurnCaller } from './admission/tenant-turns.js';
import { problemOf } from './problems.filter.js';
import type { RequestMetrics } from './request-metrics.js';
import { sendAnswer } from './send-answer.js';
import { checkPart } from './validators.js';

/** A query that may ask to wait for a change: how long that takes says nothing. */
type Waiting = { wait?: number } | undefined;

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
  admission: Admission,
  turns: TenantTurns,
  metrics: RequestMetrics,
  faults: Faults,
): void {
  const host: Host = {
    access,
    problemOf: (error, traceparent) => problemOf(error, faults, traceparent),
    tell: (operation, answered, tenant) => metrics.oneOfMany(operation, answered, tenant),
    traceDropped: () => metrics.tracesDropped.inc(),
  };
  const inTurn = async (asked: AskedByRequest, serve: Serve, isCommand: boolean, caller: TurnCaller) => {
    const { tenant } = asked.caller;
    const turn = turns.enter(tenant, isCommand, caller);
    if (turn) await turn;
    try {
      return await serve(asked, ledger);
    } finally {
      turns.leave(tenant);
    }
  };
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  for (const id of Object.keys(operations) as OperationId[]) {
    const operation: Operation = operations[id];
    const { method, path, params, query, body, needs } = operation;
    const serve = serving[id] as Serve;
    const isCommand = !isReading(operation);
    const counted = isCommand ? 'commands' : 'reads';
    const takesKey = method === 'POST' || method === 'PATCH';
    const counts = metrics.of(id);
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const begun = performance.now();
      try {
        const asked = askedBy(request, reply, path, takesKey, host);
        const reached = access.take(request.asking, counted, itemsOf(asked.body));
        if (reached) {
          await turns.untilTold(isCommand, reply.raw);
          throw limited(reply, reached);
        }
        const isWaiting = (asked.query as Waiting)?.wait !== undefined;
        const answered = await (isWaiting
          ? serve(asked, ledger)
          : inTurn(asked, serve, isCommand, reply.raw));
        if (asked.isRevoked) throw new ProblemError('unauthenticated', 'The credential is no longer valid.');
        sendAnswer(reply, answered, streams, access);
        if (answered.problem === undefined) {
          const isTimed = !answered.events && !answered.lines && !isWaiting;
          const took = isTimed ? performance.now() - begun : undefined;
          const { outcome } = answered;
          if (outcome !== undefined) request.span?.outcome(outcome);
          counts.answered(answered.status ?? 200, { outcome, tenant: asked.caller.tenant }, took);
        }
      } catch (error) {
        reply.send(error);
      }
    };
    const rest = /:(\w+)\*$/.exec(path);
    fastify.route({
      method,
      url: rest ? path.replace(rest[0], '*') : path,
      ...(rest && { preValidation: nameTheRest(rest[1] as string) }),
      ...(id === 'sendCommands' && { preHandler: countEach(admission) }),
      config: { needs, operation: id },
      schema: { ...(params && { params }), ...(query && { querystring: query }), ...(body && { body }) },
      handler(request, reply) {
        streams.turns.giveWay();
        answer(request, reply); // not returned: Fastify would take what it resolves to for the answer
      },
    });
  }
}

/** Fastify calls what is left of an address `*`. */
function nameTheRest(name: string): preValidationHookHandler {
  return (request, _, done) => {
    const { '*': rest, ...others } = request.params as Record<string, string>;
    request.params = { ...others, [name]: rest };
    done();
  };
}

/** A list was taken as one command, before it was read: here it is known how many it holds. */
function countEach(admission: Admission): preHandlerHookHandler {
  return ({ body }, { raw }, done) => {
    const more = itemsOf(body as object) - 1;
    if (more > 0 && !raw.destroyed) {
      if (admission.refusesMore(more)) return done(new ProblemError('overloaded'));
      raw.once('close', () => admission.doneMore(more));
    }
    done();
  };
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
  host: Host,
): AskedByRequest {
  const key = takesKey ? (request.headers['idempotency-key'] as string | undefined) : undefined;
  if (key !== undefined) checkRequestKey(key);
  if (request.inexact !== undefined) throw inexactNumber(request.inexact);
  const asked = new AskedByRequest(path, key, request, reply, host);
  const trace = takesKey ? (request.headers.traceparent as string | undefined) : undefined;
  if (trace !== undefined) {
    asked.traceparent = traceparentOf(trace);
    if (asked.traceparent === undefined) host.traceDropped();
  }
  return asked;
}

/** Of a list each counts. */
function itemsOf(body: object | undefined): number {
  if (Array.isArray(body)) return body.length;
  const { commands, of } = (body ?? {}) as { commands?: unknown; of?: unknown };
  const list = commands ?? of;
  return Array.isArray(list) ? list.length : 1;
}

/** What requests need of where they are served. */
interface Host {
  access: Access;
  problemOf(error: unknown, traceparent: string | undefined): Problem;
  tell(operation: string, answered: Answered, tenant: string): void;
  /** A `traceparent` was malformed. */
  traceDropped(): void;
}

/** Methods, not functions of its own: one is made for each request. */
class AskedByRequest implements Asked<OperationId> {
  readonly caller: Caller;
  /** The credential stopped counting while the answer was waited for. */
  isRevoked = false;
  traceparent: string | undefined = undefined;
  readonly params: object;
  readonly query: object;
  readonly body: object;

  constructor(
    readonly path: string,
    readonly key: string | undefined,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly host: Host,
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
    const stop = this.host.access.hold('waits', this.request.asking, () => {
      this.isRevoked = true;
      gone.abort();
    });
    this.reply.raw.once('close', () => {
      stop();
      gone.abort();
    });
    return gone.signal;
  }

  one<Other extends OperationId>(id: Other, { params, body, key }: One, place: string): Asked<Other> {
    checkPart(id, 'params', params, place);
    checkPart(id, 'body', body, `${place}.body`);
    checkRequestKey(key, `${place}.idempotencyKey`);
    const asked = new AskedAmongMany(operations[id].path, this, params, body, key);
    return asked as unknown as Asked<Other>; // checked by the schemas that its type is made of
  }

  problemOf(error: unknown): Problem {
    return this.host.problemOf(error, this.traceparent);
  }

  tell(operation: string, answered: Answered): void {
    this.host.tell(operation, answered, this.caller.tenant);
  }
}

/** One of many that came in one request. */
class AskedAmongMany implements Asked<OperationId> {
  readonly caller: Caller;
  readonly query = {};
  readonly traceparent: string | undefined;

  constructor(
    readonly path: string,
    private readonly all: AskedByRequest,
    readonly params: object,
    readonly body: object,
    public key: string | undefined,
  ) {
    this.caller = all.caller;
    this.traceparent = all.traceparent;
  }

  header(): undefined {
    return undefined;
  }

  gone(): AbortSignal {
    return this.all.gone();
  }

  one(): never {
    return assert.fail('one of many has none in it');
  }

  problemOf(error: unknown): Problem {
    return this.all.problemOf(error);
  }

  tell(): never {
    return assert.fail('one of many has none in it');
  }
}
