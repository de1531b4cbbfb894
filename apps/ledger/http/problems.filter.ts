import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { advice, type Operation, operations, type ProblemCode, type ProblemKind, problems } from '#contracts';
import { LogError } from '#log';
import { Faults } from '../faults.js';
import { ProblemError } from '../problem.js';
import { explainValidation, type ValidationFault } from './validation.js';

/** The body of every error: RFC 9457. */
type Problem = { code: ProblemCode; detail?: string | undefined; more?: object };

/** Turns whatever a request ran into into problem+json. What nobody expected is logged and never shown. */
@Catch()
export class ProblemsFilter implements ExceptionFilter {
  constructor(private readonly faults: Faults) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = this.problemOf(error, request);
    if (problem.code === 'method-not-allowed') reply.header('allow', methodsOf(request.url).join(', '));
    sendProblem(reply, problem);
  }

  private problemOf(error: unknown, request: FastifyRequest): Problem {
    if (error instanceof ProblemError) return { code: error.code, detail: error.detail, more: error.more };
    if (error instanceof LogError && error.code in problems) return { code: error.code as ProblemCode };
    if (error instanceof HttpException && error.getStatus() === 404) {
      return { code: methodsOf(request.url).length > 0 ? 'method-not-allowed' : 'not-found' };
    }
    const known = ofFastify(error as FastifyFault);
    if (known) return known;
    this.faults.report('request', error);
    return { code: 'internal' };
  }
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, { code, detail, more }: Problem): void {
  const { status, title, retryable, retryAfter }: ProblemKind = problems[code];
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  const body = {
    type: `/problems/${code}`,
    title,
    status,
    detail: detail ?? advice[code],
    retryable,
    ...more,
  };
  reply.code(status).header('content-type', 'application/problem+json').send(JSON.stringify(body));
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
function methodsOf(url: string): string[] {
  const path = url.split('?', 1)[0] ?? '';
  return Object.values<Operation>(operations)
    .filter((operation) => patternOf(operation.path).test(path))
    .map(({ method }) => method);
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`);
}
