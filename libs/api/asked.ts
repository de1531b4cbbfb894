import type { Static, TSchema } from 'typebox';
import type { ScopeKey } from '#session';
import type { Caller } from './caller.js';
import type { Ledger } from './ledger.port.js';
import type { Problem } from './problems/problem-body.js';
import type { ScopeEventIds } from './request/event-ids.js';
import type { Operation } from './schemas/operation.js';
import type { OperationId, operations } from './schemas/operations.js';

type Part<Id extends OperationId, Name extends keyof Operation> = (typeof operations)[Id] extends {
  readonly [Key in Name]: infer Schema extends TSchema;
}
  ? Static<Schema>
  : object;

/** What an operation is asked with: its parts, checked against its schemas. */
export interface Asked<Id extends OperationId> {
  /** The operation's, with `:name` for parameters. */
  path: string;
  caller: Caller;
  params: Part<Id, 'params'>;
  query: Part<Id, 'query'>;
  body: Part<Id, 'body'>;
  /** Lower-case names. */
  header(name: string): string | undefined;
  /** The idempotency key: only of an operation that takes one, and checked. */
  key: string | undefined;
  /** The trace in which a command is asked for, checked; no part of what it means. */
  traceparent?: string | undefined;
  /** Aborts when nobody waits for the answer any more. */
  gone(): AbortSignal;
  /**
   * One of many requests that came in this one, checked as it would be by itself. Throws ProblemError, whose detail says
   * where in the body it stands.
   */
  one<Other extends OperationId>(id: Other, one: One, place: string): Asked<Other>;
  /** What somebody is told of what one of many ran into. */
  problemOf(error: unknown): Problem;
  /** Hears what one of many was answered, so that it is counted; `operation` as the request names it. */
  tell(operation: string, answered: Answered): void;
}

/** A request among others, before it is checked. */
export interface One {
  params: object;
  body: object;
  key: string | undefined;
}

/** An answer: 200 unless it says otherwise, and at most one of what it can consist of. */
export interface Answered {
  status?: number;
  headers?: Record<string, string>;
  /** JSON as text. */
  json?: string;
  /** Plain text. */
  text?: string;
  bytes?: Uint8Array;
  /** What becomes JSON. */
  body?: object;
  problem?: Problem;
  /** What became of a command, as its answer says; it is counted. */
  outcome?: string;
  /** Lines of JSON, one document each, without their ends. */
  lines?: AsyncIterable<string>;
  /** Server-sent events: all partitions after a vector, or a scope's after a version. */
  events?: EventsAfter;
}

export type EventsAfter =
  /** `only`: of the scopes whose keys begin so, and without ids: where a tenant stands says what others do. */
  | { vector: number[]; restores: number; only?: string }
  | { scopeKey: ScopeKey; version: number; ids: ScopeEventIds };

/** How each operation is served. It throws a ProblemError for what it cannot. */
export type Serving = {
  readonly [Id in OperationId]: (asked: Asked<Id>, ledger: Ledger) => Answered | Promise<Answered>;
};
