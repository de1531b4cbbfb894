import {
  type Asked,
  bodyLimitOf,
  type Caller,
  checkEncoding,
  checkExpectation,
  checkNeeds,
  checkRequestKey,
  converted,
  explainValidation,
  faultOf,
  inexactNumber,
  isMethod,
  type JsonBody,
  methodsTaken,
  type One,
  type Problem,
  ProblemError,
  readJson,
  type Schema,
  traceparentOf,
} from '#api';
import { type OperationId, type ProblemCode, routes } from '#client';
import { schemas } from './generated/schemas.js';

const patterns = Object.entries(routes).map(([id, { method, path }]) => {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  return {
    id: id as OperationId,
    method,
    names,
    pattern: new RegExp(`^${path.replace(/:\w+/g, '([^/]+)')}$`),
  };
});
// A path without parameters is itself, and no parameter of another one.
patterns.sort((one, other) => one.names.length - other.names.length);

/** Which operation a request is for, and with what, checked as the service does. Throws ProblemError. */
export function readRequest(
  { url: address, method, headers }: Request,
  text: string,
  caller: Caller,
  signal: AbortSignal,
): { id: OperationId; asked: Asked<OperationId> } {
  const url = new URL(address);
  checkExpectation(headers.get('expect'));
  const found = patterns.filter(({ pattern }) => pattern.test(url.pathname));
  const route = found.find((one) => one.method === (method === 'HEAD' ? 'GET' : method));
  if (!isMethod(method)) throw new ProblemError('unknown-method');
  if (!route) throw new ProblemError(found.length > 0 ? 'method-not-allowed' : 'not-found');
  const { id, names, pattern } = route;
  const [, ...values] = pattern.exec(url.pathname) ?? [];
  const { needs, params: ofParams = {}, query: ofQuery = {}, body: ofBody } = schemas[id];
  checkNeeds(caller, needs);
  const params = Object.fromEntries(values.map((value, index) => [names[index], decoded(value)]));
  const query = converted(ofQuery, queryOf(url));
  const { value: body, inexact }: Partial<JsonBody> = ofBody ? bodyOf(text, headers, url.pathname) : {};
  check(ofParams, params, 'params');
  check(ofBody ?? {}, body, 'body');
  check(ofQuery, query, 'query');
  const key = method === 'POST' || method === 'PATCH' ? headers.get('idempotency-key') : null;
  checkRequestKey(key);
  if (inexact !== undefined) throw inexactNumber(inexact);
  const trace = headers.get('traceparent');
  const traceparent = trace === null ? undefined : traceparentOf(trace);
  const asked = {
    path: routes[id].path,
    caller,
    params,
    query,
    body,
    header: (name: string) => headers.get(name) ?? undefined,
    key: key ?? undefined,
    traceparent,
    gone: () => signal,
    one: (other: OperationId, one: One, place: string) => ({
      ...oneOf(other, one, place, caller, signal),
      traceparent,
    }),
    ...{ problemOf, tell: () => {} }, // nothing is counted here
  };
  // What it has to be was checked by the schemas, from which its type is made, too.
  return { id, asked: asked as unknown as Asked<OperationId> };
}

/** What is known of what went wrong; what is a mistake of ours is thrown on. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof ProblemError)) throw error;
  const { code, detail, more, retryAfter } = error;
  return { code, detail, more, retryAfter };
}

/** One of many that came in a request, checked as by itself. */
function oneOf(
  id: OperationId,
  { params, body, key }: One,
  place: string,
  caller: Caller,
  signal: AbortSignal,
): Asked<OperationId> {
  const { params: ofParams = {}, body: ofBody = {} } = schemas[id];
  check(ofParams, params, place);
  check(ofBody, body, `${place}.body`);
  checkRequestKey(key, `${place}.idempotencyKey`);
  const asked = {
    ...{ path: routes[id].path, caller, params, query: {}, body, key },
    ...{ header: () => undefined, gone: () => signal, problemOf },
  };
  return asked as unknown as Asked<OperationId>;
}

function check(schema: Schema, value: unknown, place: string): void {
  const fault = faultOf(schema, value);
  if (fault) throw new ProblemError('invalid-request', explainValidation(fault, place));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ProblemError('invalid-request', 'the path cannot be read, or is too long');
  }
}

function queryOf({ search, searchParams }: URL): Record<string, unknown> {
  try {
    decodeURIComponent(search);
  } catch {
    throw new ProblemError('invalid-request', 'the query is not percent-encoded UTF-8');
  }
  const all = [...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)] as const);
  return Object.fromEntries(all.map(([name, values]) => [name, values.length > 1 ? values : values[0]]));
}

function bodyOf(text: string, headers: Headers, path: string): JsonBody {
  const refuse = (code: ProblemCode, detail?: string) => new ProblemError(code, detail);
  if (!/^application\/json *(;|$)/i.test(headers.get('content-type') ?? ''))
    throw refuse('unsupported-media-type');
  checkEncoding(headers.get('content-type'), headers.get('content-encoding'));
  if (new TextEncoder().encode(text).length > bodyLimitOf(path)) throw refuse('body-too-large');
  if (text === '') throw refuse('invalid-json', 'the body is empty');
  return readJson(text);
}

/** The methods that an address takes; empty when there is none such. */
export function methodsAt(address: string): string[] {
  const { pathname } = new URL(address);
  const found = patterns.filter(({ pattern }) => pattern.test(pathname));
  return methodsTaken(found.map(({ method }) => method));
}
