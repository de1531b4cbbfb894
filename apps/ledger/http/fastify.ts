import { isUtf8 } from 'node:buffer';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Ajv, type Options } from 'ajv';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../problem.js';

const BODY_LIMIT = 64 * 1024;

// Stops at the first fault, so that a large bad body costs no more than a small one.
const strict: Options = { allErrors: false, verbose: true, strict: true, strictRequired: false };
const ofBodies = new Ajv(strict);
/** Addresses carry text only: numbers in them are converted. */
const ofAddresses = new Ajv({ ...strict, coerceTypes: true });

/** Fastify as the ledger uses it: JSON bodies only, of at most 64 KiB, and nothing is converted in them. */
export function fastifyAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    // Idle connections are closed with the service; those with a request are awaited.
    forceCloseConnections: 'idle',
    keepAliveTimeout: 72_000,
    requestTimeout: 30_000,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? ofBodies : ofAddresses).compile(schema as object),
  );
  fastify.removeAllContentTypeParsers();
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    // Decoding would replace what is no UTF-8, and two different ids would become one.
    if (!isUtf8(body as Buffer)) return done(new ProblemError('invalid-json', 'the body is not UTF-8'));
    parse(request, body.toString(), done);
  });
  return adapter;
}
