import { type Static, type TSchema, Type } from 'typebox';
import type { Needs } from '../caller.js';
import type { ProblemCode } from '../problems/problems.js';
import type { HeaderName } from './headers.js';
import { GivenId, Id } from './values.js';

/** One route: its schemas validate requests, and describe them in /openapi.json. */
export type Operation = Route & (WithBody | { body?: undefined; example?: undefined });

interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `:name` for parameters; `:name*` at the end is all that is left, slashes as well. */
  path: string;
  /** It changes nothing, although its question is so long that it is a POST. */
  reads?: true;
  summary: string;
  /** What who asks has to be allowed. */
  needs: Needs;
  params?: TSchema;
  query?: TSchema;
  /** Headers of the request that mean something; commands take an Idempotency-Key besides. */
  takes?: readonly HeaderName[];
  answers: Record<number, Reply>;
  problems: readonly ProblemCode[];
}

/** A body, and one of its kind as the page of /docs offers it and the tests send it. */
interface WithBody<Body extends TSchema = TSchema, Example = unknown> {
  body: Body;
  example: Example;
}

/** What is sent for a session needs its id and epoch: those of the first session of a scope. */
export const sent = <Body extends TSchema>(
  body: Body,
  example: Static<Body>,
): WithBody<Body, Static<Body>> => ({
  body,
  example,
});

export interface Reply {
  description: string;
  schema?: TSchema;
  /** What the query can ask for in place of `schema`. The client's types know `schema` only. */
  asked?: TSchema;
  /** application/json when left out. */
  contentType?: string;
  headers?: readonly HeaderName[];
}

/** For `needs`: what concerns one tenant. */
export const reader = ['read'] as const;
export const writer = ['write'] as const;
export const operator = ['operate'] as const;
/** For `needs`: what concerns all tenants. */
export const auditor = ['audit'] as const;

/** All of an operation's problems: its own, and what a credential may bring about. */
export function problemsOf({ needs, problems }: Operation): readonly ProblemCode[] {
  return needs === 'nothing'
    ? problems
    : [...problems, 'unauthenticated', 'permission-required', 'rate-limited'];
}

export const closed = { additionalProperties: false };
/** Of a query. */
export const scope = { userId: Id, projectId: Type.Optional(Id) };
export const byId = Type.Object({ sessionId: GivenId }, closed);

export const placed = { headers: ['Ledger-Position'] } as const;
export const fenced = [
  'stale-epoch',
  'stale-session',
  'future-epoch',
  'session-ended',
  'unknown-session',
] as const;
export const retried = ['overloaded', 'timeout', 'unavailable', 'unknown-outcome', 'closing'] as const;
export const command = [
  'invalid-request',
  'invalid-json',
  'body-too-large',
  'unsupported-media-type',
  'key-reused',
  ...retried,
] as const;
export const handles = ['handle-taken', 'too-many-handles'] as const;
export const read = ['invalid-request', 'overloaded', 'unavailable'] as const;
export const projected = [...read, 'projection-behind'] as const;
export const sse = {
  description: 'Server-sent events; the first has an id and no data; a comment every 15 s',
  contentType: 'text/event-stream',
};

export const ScopeQuery = Type.Object(scope, closed);
