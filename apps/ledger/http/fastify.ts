import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { NotFoundException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access, AccessLog, Asking } from '#access';
import {
  bodyLimitOf,
  checkEncoding,
  checkExpectation,
  checkNeeds,
  type Needs,
  ProblemError,
  readJson,
} from '#api';
import type { OperationId } from '#api/schemas';
import type { Tracing } from '../tracing.js';
import { answerBadHttp, answerConnect } from './bad-http.js';
import { type FrontOptions, SECURITY_HEADERS, serverBehindFront } from './front.js';
import { keepLog } from './log-access.js';
import { leaveFiles } from './open-files.js';
import { sendProblem } from './problems.filter.js';
import type { RequestMetrics } from './request-metrics.js';
import { dropStalled } from './stalled.js';
import { traceRequests } from './trace-requests.js';
import { validatorOf } from './validators.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What who asks has to be allowed: every route says so. */
    needs?: Needs;
    /** Of which operation it is; pages are of none. */
    operation?: OperationId;
  }
  interface FastifyRequest {
    /** Who asks, by which credential. */
    asking: Asking;
    /** Where the body has a number that would be changed: a JSON pointer. */
    inexact: string | undefined;
  }
}

/** What looks at each request before it is served. */
export interface Gatekeepers extends FrontOptions {
  access: Access;
  metrics: RequestMetrics;
  log: AccessLog | undefined;
  /** Undefined: nobody wants traces. */
  tracing: Tracing | undefined;
}

/** Fastify as the ledger uses it: JSON bodies only, of bounded size, and nothing is converted in them. */
export function fastifyAdapter({ access, metrics, log, tracing, ...front }: Gatekeepers): FastifyAdapter {
  const { origins } = front;
  const adapter = new FastifyAdapter({
    bodyLimit: bodyLimitOf('anywhere else'),
    // Idle connections are closed with the service; those with a request are awaited.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    serverFactory: serverBehindFront(front),
    routerOptions: { maxParamLength: 256 },
    clientErrorHandler: answerBadHttp,
    // What the router refuses, before any hook or filter: malformed or over-long paths.
    frameworkErrors: (_error: Error, _request: unknown, reply: FastifyReply) =>
      sendProblem(reply, { code: 'invalid-request', detail: 'the path cannot be read, or is too long' }),
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.setValidatorCompiler(({ schema, httpPart }) => validatorOf(schema as object, httpPart));
  fastify.addHook('onRoute', (route) => {
    route.bodyLimit = bodyLimitOf(route.url);
  });
  traceRequests(fastify, tracing);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    checkHeaders(request.raw);
    if (origins.answersPreflight(request, reply)) return;
    origins.check(request, reply);
    // Before its body: whatever that is, there is nobody here to read it.
    if (request.is404) return done(new NotFoundException());
    if (isPercentEncoded(request.url)) return done();
    done(new ProblemError('invalid-request', 'the query is not percent-encoded UTF-8'));
  });
  guard(fastify, access);
  if (log) keepLog(fastify, log);
  // Node would answer by itself, without a body: the request is refused like any other.
  fastify.server.on('checkExpectation', (request, response) => fastify.routing(request, response));
  fastify.server.on('connect', (_request, socket: Socket) => answerConnect(socket));
  dropStalled(fastify.server);
  leaveFiles(fastify.server);
  fastify.decorate('requestMetrics', metrics);
  fastify.decorateRequest('inexact', undefined);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    done(null, bodyOf(request, body as Buffer));
  });
  return adapter;
}

/** Nobody could tell which of two is meant. */
const SINGLE = new Set(['host', 'authorization', 'content-type', 'idempotency-key']);

/** Throws `invalid-request` for headers that mean nothing, or several things; `expectation-failed` for an `Expect`. */
function checkHeaders({ headers, rawHeaders, httpVersion }: IncomingMessage): void {
  if (headers.host === undefined && httpVersion === '1.1') {
    throw new ProblemError('invalid-request', 'header.host is missing');
  }
  checkExpectation(headers.expect);
  // Node joins headers of one name, or drops the second one: then there are fewer than came.
  if (Object.keys(headers).length === rawHeaders.length / 2) return;
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (SINGLE.has(name) && seen.has(name)) {
      throw new ProblemError('invalid-request', `header.${name} is there twice: send it once`);
    }
    seen.add(name);
  }
}

/** What cannot be decoded would be taken as it stands, and two different ids would become one. */
function isPercentEncoded(url: string): boolean {
  if (!url.includes('%')) return true;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false; // that is the answer
  }
}

/**
 * Lets nobody in whose credential does not allow what is asked, before any body is read. A route that does not say what
 * it needs is refused when it is bound.
 */
function guard(fastify: FastifyInstance, access: Access): void {
  fastify.decorateRequest('asking');
  fastify.addHook('onRoute', ({ method, url, config }) => {
    if (config?.needs === undefined) throw new Error(`${method} ${url} does not say what it needs`);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    letIn(request, access, done);
  });
}

/** Whoever is known is let in at once: nothing is awaited, and nothing is asked of Postgres. */
function letIn(request: FastifyRequest, access: Access, done: (error?: Error) => void): void {
  const needs = request.routeOptions.config.needs ?? [];
  const enter = (asking: Asking) => {
    request.asking = asking; // also of who is refused: the log of access names it
    checkNeeds(asking.caller, needs);
  };
  try {
    const asking = access.of(request.headers.authorization, needs, request.ip);
    if (asking instanceof Promise) {
      asking.then(enter).then(() => done(), done);
      return;
    }
    enter(asking);
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}

/** Throws what is wrong with a body, whatever it should have been. */
function bodyOf(request: FastifyRequest, body: Buffer): unknown {
  const { headers } = request;
  checkEncoding(headers['content-type'], headers['content-encoding']);
  if (body.length === 0) {
    if (request.routeOptions.schema?.body) throw new ProblemError('invalid-json', 'the body is empty');
    return undefined;
  }
  // Decoding would replace what is no UTF-8, and two different ids would become one.
  if (!isUtf8(body)) throw new ProblemError('invalid-json', 'the body is not UTF-8');
  const { value, inexact } = readJson(body.toString());
  request.inexact = inexact;
  return value;
}
