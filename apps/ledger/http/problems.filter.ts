import { randomBytes } from 'node:crypto';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Asking } from '#access';
import {
  advice,
  explainValidation,
  isMethod,
  methodsTaken,
  type Problem,
  type ProblemCode,
  ProblemError,
  problemBody,
  problems,
  retryAfterOf,
  traceparentOf,
  type ValidationFault,
} from '#api';
import { type Operation, operations } from '#api/schemas';
import { ArchivedError, LogError } from '#log';
import { Faults } from '../faults.js';
import type { RequestMetrics } from './request-metrics.js';

declare module 'fastify' {
  interface FastifyInstance {
    requestMetrics: RequestMetrics;
  }
}

/** Turns whatever a request ran into into problem+json. What nobody expected is logged and never shown. */
@Catch()
export class ProblemsFilter implements ExceptionFilter {
  constructor(private readonly faults: Faults) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = this.problemOf(error, request);
    if (problem.code === 'method-not-allowed') reply.header('allow', methodsOf(request).join(', '));
    sendProblem(reply, problem);
  }

  private problemOf(error: unknown, request: FastifyRequest): Problem {
    const known = ofTheLedger(error);
    if (known) return known;
    if (error instanceof HttpException && error.getStatus() === 404) {
      if (!isMethod(request.method)) return { code: 'unknown-method' };
      const methods = methodsOf(request);
      const wrong = methods.length > 0 && !methods.includes(request.method);
      return { code: wrong ? 'method-not-allowed' : 'not-found' };
    }
    // Nest wraps what Fastify says of a request.
    const fault = error instanceof HttpException ? (error.cause ?? error) : error;
    return ofFastify(fault as FastifyFault) ?? unexpected(error, this.faults, request.headers.traceparent);
  }
}

/** What the ledger itself says that it cannot do. */
function ofTheLedger(error: unknown): Problem | undefined {
  if (error instanceof ProblemError) {
    const { code, detail, more, retryAfter } = error;
    return { code, detail, more, retryAfter };
  }
  if (error instanceof ArchivedError)
    return { code: 'archived', detail: `${error.message} ${advice.archived}`, more: error.where };
  if (error instanceof LogError && error.code in problems)
    return { code: error.code as ProblemCode, detail: error.detail };
  return undefined;
}

type Header = string | string[] | undefined;

/** The answer and the line in the log have an id in common: that of the trace, where the caller sent one. */
function unexpected(error: unknown, faults: Faults, traceparent: Header): Problem {
  const trace = typeof traceparent === 'string' ? traceparentOf(traceparent)?.split('-')[1] : undefined;
  const id = trace ?? randomBytes(16).toString('hex');
  const isLogged = faults.report('request', error, id);
  return {
    code: 'internal',
    ...(isLogged && { detail: `The service's log has it as ${id}: tell its operator.` }),
  };
}

/** What an operation ran into. What nobody expected is logged and never shown. */
export function problemOf(error: unknown, faults: Faults, traceparent: Header): Problem {
  return ofTheLedger(error) ?? unexpected(error, faults, traceparent);
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  const { routeOptions, asking, span } = reply.request;
  // Who was refused before anybody knew who asks is of no tenant.
  const tenant = (asking as Asking | undefined)?.caller.tenant;
  reply.server.requestMetrics.refused(routeOptions.config?.operation, problem, tenant);
  span?.problem(problem.code);
  const retryAfter = retryAfterOf(problem);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  // Another credential would be answered otherwise: also where too many did not count to say so of one more.
  if (problem.code === 'unauthenticated' || (problem.code === 'rate-limited' && !asking)) {
    reply.header('www-authenticate', 'Bearer');
  }
  const body = problemBody(problem);
  reply.code(body.status).header('content-type', 'application/problem+json').send(JSON.stringify(body));
}

interface FastifyFault {
  code?: string;
  message?: string;
  statusCode?: number;
  validation?: ValidationFault[];
  validationContext?: string;
}

function ofFastify(error: FastifyFault): Problem | undefined {
  if (error.validation?.[0]) {
    return {
      code: 'invalid-request',
      detail: explainValidation(error.validation[0], error.validationContext),
    };
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'body-too-large' };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'unsupported-media-type' };
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return { code: 'invalid-json', detail: 'the body is empty' };
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return { code: 'invalid-json' };
    default:
      // What the JSON parser and the HTTP parser say of a request, and nothing of ours.
      if (error instanceof SyntaxError) return { code: 'invalid-json' };
      return error.statusCode === 400 ? { code: 'invalid-request' } : undefined;
  }
}

/** The methods that an address takes; empty when there is none such. */
function methodsOf({ url, server }: FastifyRequest): string[] {
  const path = url.split('?', 1)[0] ?? '';
  const methods = Object.values<Operation>(operations)
    .filter((operation) => patternOf(operation.path).test(path))
    .map(({ method }) => method);
  // Health, metrics and docs are no operations. Only plain text: a route's pattern would mean more.
  const isPage = /^[\w./-]+$/.test(path) && server.hasRoute({ url: path, method: 'GET' });
  return methodsTaken(methods.length === 0 && isPage ? ['GET'] : methods);
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/:\w+\*$/, '.+').replace(/:\w+/g, '[^/]+')}$`);
}
