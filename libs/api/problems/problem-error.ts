import type { Instant, Session } from '#session';
import { type ProblemCode, problems } from './problems.js';

/** A request that gets a problem for an answer. */
export class ProblemError extends Error {
  constructor(
    readonly code: ProblemCode,
    /** What happened and what to do, for the caller's eyes. */
    readonly detail?: string,
    readonly more: {
      current?: Session;
      last?: unknown;
      until?: Instant;
      position?: string;
      candidate?: number;
    } = {},
    /** Seconds, where they are known better than by the code. */
    readonly retryAfter?: number,
  ) {
    super(problems[code].title);
  }
}
