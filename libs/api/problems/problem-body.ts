import { ProblemError } from './problem-error.js';
import { advice, type ProblemCode, type ProblemKind, problems } from './problems.js';

/** What a request is answered that comes to nothing. */
export interface Problem {
  code: ProblemCode;
  detail?: string | undefined;
  more?: object;
  /** Seconds, where they are known better than by the code. */
  retryAfter?: number | undefined;
}

/** The `Retry-After` of a problem, in seconds; undefined when there is nothing to wait for. */
export function retryAfterOf({ code, retryAfter }: Problem): number | undefined {
  const kind: ProblemKind = problems[code];
  return retryAfter ?? kind.retryAfter;
}

/** The body of a problem, RFC 9457. */
export function problemBody({ code, detail, more }: Problem) {
  const { status, title, retryable }: ProblemKind = problems[code];
  return { type: `/problems/${code}`, title, status, detail: detail ?? advice[code], retryable, ...more };
}

/** Where the `type` of a problem leads. Throws `not-found` for a code that there is not. */
export function problemPage(code: string) {
  if (!Object.hasOwn(problems, code)) throw new ProblemError('not-found', 'no problem has this code');
  const known = code as ProblemCode;
  return { type: `/problems/${known}`, ...problems[known], advice: advice[known] };
}
