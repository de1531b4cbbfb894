import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { NotFoundException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access, AccessLog } from '#access';
import { bodyLimitOf, checkEncoding, ProblemError, readJson } from '#api';
import { operations } from '#api/schemas';
import type { Tracing } from '../tracing.js';
import type { Admission } from './admission.js';
import { checkHeaders } from './bad-headers.js';
import { answerBadHttp, answerConnect } from './bad-http.js';
import { guard } from './guard.js';
import { keepLog } from './log-access.js';
import { leaveFiles } from './open-files.js';
import type { Origins } from './origins.js';
import { sendProblem } from './problems.filter.js';
import type { RequestMetrics } from './request-metrics.js';
import { dropStalled } from './stalled.js';
import { traceRequests } from './trace-requests.js';
import { validatorOf } from './validators.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Where the body has a number that would be changed: a JSON pointer. */
    inexact: string | undefined;
  }
}

/** What every answer says: nothing that is read here is for a cache, nor is it what a browser may take it for. */
const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** How long a request's headers, and all of it, may take to arrive; how often to look. In milliseconds. */
const HEADERS_MS = 15_000;
const BODY_MS = 30_000;
const LOOK_MS = 1_000;

/** What looks at each request before it is served. */
export interface Gatekeepers {
  access: Access;
  admission: Admission;
  origins: Origins;
  metrics: RequestMetrics;
  log: AccessLog | undefined;
  /** Undefined: nobody wants traces. */
  tracing: Tracing | undefined;
  /** Undefined: plain HTTP. */
  tls: SecureContextOptions | undefined;
}

/** Fastify as the ledger uses it: JSON bodies only, of bounded size, and nothing is converted in them. */
export function fastifyAdapter({
  access,
  admission,
  origins,
  metrics,
  log,
  tracing,
  tls,
}: Gatekeepers): FastifyAdapter {
  const server = {
    requireHostHeader: false, // we ask for it ourselves, with a problem
    headersTimeout: HEADERS_MS,
    connectionsCheckingInterval: LOOK_MS,
  };
  const adapter = new FastifyAdapter({
    bodyLimit: bodyLimitOf('anywhere else'),
    // Idle connections are closed with the service; those with a request are awaited.
    forceCloseConnections: 'idle',
    keepAliveTimeout: 72_000,
    requestTimeout: BODY_MS,
    return503OnClosing: false,
    ...(tls
      ? { https: { ...server, ...tls, ...callersCertificates(tls), handshakeTimeout: HEADERS_MS } }
      : { http: server }),
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
    if (request.url.startsWith('/v1/') && isRefused(request, reply, admission)) return;
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

/** Where callers need a certificate, a handshake without one fails. */
function callersCertificates({ ca }: SecureContextOptions) {
  return ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
}

/** Refuses a request, before it is read, that would wait for too long, or lets it come in. */
function isRefused(request: FastifyRequest, reply: FastifyReply, admission: Admission): boolean {
  const { method, routeOptions } = request;
  const { operation } = routeOptions.config ?? {};
  const isRead =
    ['GET', 'HEAD', 'OPTIONS'].includes(method) || (operation && 'reads' in operations[operation]);
  const isCommand = !isRead;
  if (admission.refuses(isCommand)) {
    sendProblem(reply, { code: 'overloaded' });
    return true;
  }
  if (isCommand) reply.raw.once('close', () => admission.done());
  return false;
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
