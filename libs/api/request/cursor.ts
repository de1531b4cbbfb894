import { ProblemError } from '../problems/problem-error.js';

/** What the next page is asked for with: opaque to callers, so that what stands in it may change. */
export function encodeCursor(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** The first group of a cursor's text. Throws `invalid-request` for what no page of this kind has given out. */
export function decodeCursor(cursor: string, pattern: RegExp): string {
  return cursorParts(cursor, pattern, 'query.after')[0]!;
}

/** All of its groups; `place` is where it stands. */
export function cursorParts(cursor: string, pattern: RegExp, place: string): string[] {
  const [, ...found] = pattern.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (found.length === 0) {
    throw new ProblemError('invalid-request', `${place} has to be the next of an earlier page`);
  }
  return found;
}
