import { applyDecorators, Get, HttpCode, Post } from '@nestjs/common';
import { RouteSchema } from '@nestjs/platform-fastify';
import { type Operation, type OperationId, operations } from '#contracts';

/** Binds a controller's method to an operation: its path, and the schemas that Fastify validates with. */
export function Route(id: OperationId): MethodDecorator {
  const { method, path, params, query, body }: Operation = operations[id];
  return applyDecorators(
    method === 'POST' ? Post(path) : Get(path),
    HttpCode(200),
    RouteSchema({
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(body && { body }),
    }),
  );
}
