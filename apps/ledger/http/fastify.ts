import { isUtf8 } from 'node:buffer';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bodyLimitOf, ProblemError } from '#protocol';
import { answerBadHttp } from './bad-http.js';
import { sendProblem } from './problems.filter.js';
import { validatorOf } from './validators.js';

/** Fastify as the ledger uses it: JSON bodies only, of bounded size, and nothing is converted in them. */
export function fastifyAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: bodyLimitOf('anywhere else'),
    // Idle connections are closed with the service; those with a request are awaited.
    forceCloseConnections: 'idle',
    keepAliveTimeout: 72_000,
    requestTimeout: 30_000,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    clientErrorHandler: answerBadHttp,
    // What the router refuses, before any hook or filter: malformed or over-long paths.
    frameworkErrors: (_error: Error, _request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(reply, { code: 'invalid-request', detail: 'the path cannot be read, or is too long' }),
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.setValidatorCompiler(({ schema, httpPart }) => validatorOf(schema as object, httpPart));
  fastify.addHook('onRoute', (route) => {
    route.bodyLimit = bodyLimitOf(route.url);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (isPercentEncoded(request.url)) return done();
    done(new ProblemError('invalid-request', 'the query is not percent-encoded UTF-8'));
  });
  fastify.removeAllContentTypeParsers();
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    // Decoding would replace what is no UTF-8, and two different ids would become one.
    if (!isUtf8(body as Buffer)) return done(new ProblemError('invalid-json', 'the body is not UTF-8'));
    parse(request, body.toString(), done);
  });
  return adapter;
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
