import type { TSchema } from 'typebox';
import { REFUSALS } from '#session';
import { type ProblemCode, problems } from '../problems/problems.js';
import { type Json, withComponents } from './components.js';
import { parameterExamples } from './examples.js';
import { answerHeaders, headerParameters } from './headers.js';
import { type Operation, problemsOf, type Reply } from './operation.js';
import { groups, operations } from './operations.js';
import { Problem } from './problem.js';

/** How who asks is known: by a key, or a token of an issuer (docs/access.md). */
export const bearer = {
  type: 'http',
  scheme: 'bearer',
  description: 'A key (`slt_…`, `sll_…`) or a JWT of the issuer that the ledger trusts',
};

/** The OpenAPI 3.1 document, from the very schemas that validate requests. */
export function openApi(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    const path = operation.path.replace(/:(\w+)\*?/g, '{$1}');
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
    servers: [{ url: '/' }],
    tags: Object.keys(groups).map((name) => ({ name })),
    paths,
    components: { securitySchemes: { bearer } },
  });
}

function tagOf(operationId: string): string | undefined {
  return Object.entries(groups).find(([, group]) => operationId in group)?.[0];
}

function describe(operationId: string, operation: Operation): Json {
  return {
    operationId,
    summary: operation.summary,
    tags: [tagOf(operationId)],
    security: operation.needs === 'nothing' ? [] : [{ bearer: [] }],
    ...(operation.needs !== 'nothing' && {
      description: `Needs the permission ${operation.needs.join(' or ')} if access control is on.`,
    }),
    parameters: [
      ...parameters('path', operation.params),
      ...parameters('query', operation.query),
      ...headerParameters(hasKey(operation) ? ['Idempotency-Key'] : operation.takes),
    ],
    ...(operation.body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: operation.body, example: operation.example } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, reply]) => [status, answer(reply)]),
      ),
      ...refusals(operation),
      default: { description: 'any other problem', content: problemContent },
    },
  };
}

function hasKey({ method, reads }: Operation): boolean {
  return !reads && (method === 'POST' || method === 'PATCH');
}

function parameters(place: 'path' | 'query', schema: TSchema | undefined): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: value,
    // One that may be left out would be sent with the page's "try it".
    ...((required.includes(name) || (name === 'projectId' && required.includes('userId'))) && {
      example: exampleOf(name, value),
    }),
  }));
}

function exampleOf(name: string, schema: unknown): string | number | undefined {
  const { type } = schema as TSchema & { type?: string };
  const example = parameterExamples[name];
  return type === 'string' ? example?.toString() : example;
}

function answer({ description, schema, asked, contentType = 'application/json', headers }: Reply): Json {
  const head = { description, ...answerHeaders(headers) };
  if (!schema && contentType === 'application/json') return head;
  const body = asked ? { anyOf: [schema, asked] } : (schema ?? { type: 'string' });
  return { ...head, content: { [contentType]: { schema: body } } };
}

const DECIDED = [403, 404, 409];
const problemContent = { 'application/problem+json': { schema: Problem } };

/** Whether time alone takes it away. */
const isTimed = (code: ProblemCode) => REFUSALS.some((one) => one === code) && problems[code].retryable;

function refusals(operation: Operation): Json {
  const { answers } = operation;
  const hasPlace = Object.values(answers).some(({ headers }) => headers?.includes('Ledger-Position'));
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(operation)) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: names.join(', '),
        ...answerHeaders([
          // What was decided, or not found, was so as of a place in the log.
          ...(hasPlace && DECIDED.includes(status) ? (['Ledger-Position'] as const) : []),
          ...(names.some((code) => 'retryAfter' in problems[code] || isTimed(code))
            ? (['Retry-After'] as const)
            : []),
        ]),
        content: problemContent,
      },
    ]),
  );
}
