import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access, Asking } from '#access';
import { checkNeeds, type Needs } from '#api';
import type { OperationId } from '#api/schemas';

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
  }
}

/**
 * Lets nobody in whose credential does not allow what is asked, before any body is read. A route that does not say what
 * it needs is refused when it is bound.
 */
export function guard(fastify: FastifyInstance, access: Access): void {
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
    done();
  };
  try {
    const asking = access.of(request.headers.authorization, needs, request.ip);
    if (asking instanceof Promise) asking.then(enter).catch(done);
    else enter(asking);
  } catch (error) {
    done(error as Error);
  }
}
