import { advice, type ProblemCode, type ProblemKind, problems } from './problems.js';

/** What a request is answered that comes to nothing. */
export interface Problem {
  code: ProblemCode;
  detail?: string | undefined;
  more?: object;
}

/** The body of a problem, RFC 9457. */
export function problemBody({ code, detail, more }: Problem) {
  const { status, title, retryable }: ProblemKind = problems[code];
  return { type: `/problems/${code}`, title, status, detail: detail ?? advice[code], retryable, ...more };
}
