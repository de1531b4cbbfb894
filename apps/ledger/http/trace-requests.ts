import type { FastifyInstance } from 'fastify';
import { traceparentOf } from '#api';
import type { RequestSpan, Tracing } from '../tracing.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Where traces are wanted, and the request is for an operation. */
    span: RequestSpan | undefined;
  }
}

/** Makes a span of each request for an operation; what it causes is in the span's trace, events included. */
export function traceRequests(fastify: FastifyInstance, tracing: Tracing | undefined): void {
  fastify.decorateRequest('span', undefined);
  if (!tracing) return;
  fastify.addHook('onRequest', (request, reply, done) => {
    const { url, config } = request.routeOptions;
    if (config?.operation !== undefined && url !== undefined) {
      const given = request.headers.traceparent as string | undefined;
      const parent = given === undefined ? undefined : traceparentOf(given);
      const span = tracing.requested(config.operation, request.method, url, parent);
      const isMalformed = given !== undefined && parent === undefined; // it is counted where it is dropped
      if (span.traceparent !== undefined && !isMalformed) request.headers.traceparent = span.traceparent;
      request.span = span;
      // Streams are answered past Fastify, so its own hook would miss their end.
      reply.raw.once('close', () => span.end(reply.raw.statusCode));
    }
    done();
  });
}
