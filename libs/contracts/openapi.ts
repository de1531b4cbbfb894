import type { TSchema } from 'typebox';
import { type ProblemCode, problems } from '#protocol';
import { type Json, withComponents } from './components.js';
import { type Operation, operations, type Reply } from './operations.js';
import { Problem } from './problem-body.js';

/** The OpenAPI 3.1 document, from the very schemas that validate requests. */
export function openApi(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    const path = operation.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operationId, operation) };
  }
  return withComponents({
    openapi: '3.1.0',
    info: {
      title: 'Session Ledger',
      version,
      description: 'The one place that knows which session is current for a user and a project.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
  });
}

function describe(operationId: string, operation: Operation): Json {
  return {
    operationId,
    summary: operation.summary,
    parameters: [
      ...parameters('path', operation.params),
      ...parameters('query', operation.query),
      ...(hasKey(operation) ? [idempotencyKey] : []),
    ],
    ...(operation.body && {
      requestBody: { required: true, content: { 'application/json': { schema: operation.body } } },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, reply]) => [status, answer(reply)]),
      ),
      ...refusals(operation.problems),
    },
  };
}

function hasKey({ method, reads }: Operation): boolean {
  return !reads && (method === 'POST' || method === 'PATCH');
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Repeating a request with its key gives the first answer again, for at least 48 h',
  schema: { type: 'string', minLength: 1, maxLength: 256 },
};

function parameters(place: 'path' | 'query', schema: TSchema | undefined): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: value,
  }));
}

function answer({ description, schema, asked, contentType = 'application/json' }: Reply): Json {
  if (!schema && contentType === 'application/json') return { description };
  return {
    description,
    content: {
      [contentType]: { schema: asked ? { anyOf: [schema, asked] } : (schema ?? { type: 'string' }) },
    },
  };
}

function refusals(codes: readonly ProblemCode[]): Json {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: Problem } };
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [status, { description: names.join(', '), content }]),
  );
}
