import { applyDecorators, Delete, Get, HttpCode, Patch, Post } from '@nestjs/common';
import { RouteSchema } from '@nestjs/platform-fastify';
import { type Operation, type OperationId, operations } from '#contracts';

const methods = { GET: Get, POST: Post, PATCH: Patch, DELETE: Delete };

/** Binds a controller's method to an operation: its path, and the schemas that Fastify validates with. */
export function Route(id: OperationId): MethodDecorator {
  const { method, path, params, query, body }: Operation = operations[id];
  return applyDecorators(
    methods[method](path),
    HttpCode(200),
    RouteSchema({
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(body && { body }),
    }),
  );
}
