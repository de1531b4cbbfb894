import { ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Operation, type OperationId, operations } from '#contracts';
import { checkRequestKey, inexactNumber } from '#protocol';

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

const OPERATION = Symbol('operation');

/** Marks the controller's method that answers an operation: of a request and a reply. What it throws becomes a problem. */
export function Route(id: OperationId): MethodDecorator {
  return (_controller, _name, { value }) => Reflect.defineMetadata(OPERATION, id, value as Handler);
}

/**
 * Binds the controllers' operations to Fastify, with the schemas that it validates with. Not through Nest's router,
 * which took a quarter of what the service spends on a read (docs/decisions/0014-routes.md).
 */
export function bindOperations(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  const modules = [...app.get(ModulesContainer).values()];
  for (const { instance } of modules.flatMap(({ controllers }) => [...controllers.values()])) {
    const controller = instance as Record<string, Handler>;
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(controller))) {
      const method = controller[name] as Handler;
      const id: OperationId | undefined = Reflect.getMetadata(OPERATION, method);
      if (id) bind(fastify, operations[id], method.bind(controller));
    }
  }
}

function bind(fastify: FastifyInstance, operation: Operation, handle: Handler): void {
  const { method, path, params, query, body } = operation;
  const takesKey = method === 'POST' || method === 'PATCH';
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      if (takesKey) checkRequestKey(request.headers['idempotency-key'] as string | undefined);
      if (request.inexact !== undefined) throw inexactNumber(request.inexact);
      await handle(request, reply);
    } catch (error) {
      reply.send(error);
    }
  };
  fastify.route({
    method,
    url: path,
    schema: { ...(params && { params }), ...(query && { querystring: query }), ...(body && { body }) },
    handler(request, reply) {
      answer(request, reply); // not returned: Fastify would take what it resolves to for the answer
    },
  });
}
