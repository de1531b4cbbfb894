import type { OperationId, Operations } from '#client';
import type { Problem } from '#protocol';
import { type ScopeKey, scopeKey } from '#session';

/** What an operation is asked with: its parameters, checked against its schemas. */
export interface Asked<Id extends OperationId> {
  params: Operations[Id] extends { params: infer Params } ? Params : object;
  query: Operations[Id] extends { query?: infer Query } ? NonNullable<Query> : object;
  body: Operations[Id] extends { body?: infer Body } ? NonNullable<Body> : undefined;
  headers: Headers;
  /** The idempotency key, and what it is for: only of a request that is known to be right. */
  receipt: { key: string; request: () => string } | undefined;
  /** Aborts when the caller is gone, or the ledger goes down. */
  signal: AbortSignal;
}

/** An answer: a body of JSON, texts that are streamed, or a problem. */
export interface Answered {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** They end when their reader is gone. */
  texts?: (gone: AbortSignal) => AsyncGenerator<string>;
  problem?: Problem;
}

/** How each operation is served. It throws a ProblemError for what it cannot. */
export type Serving = { [Id in OperationId]: (asked: Asked<Id>) => Answered | Promise<Answered> };

/** Everybody's: the ledger in memory has no access control. */
export const TENANT = 'default';
export const anonymous = { principal: 'anonymous', operate: true };

export function scopeKeyOf({
  userId,
  projectId = 'default',
}: {
  userId: string;
  projectId?: string;
}): ScopeKey {
  return scopeKey({ tenant: TENANT, userId, projectId });
}
