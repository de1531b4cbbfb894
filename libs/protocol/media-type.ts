import { ProblemError } from './problem-error.js';

/** Throws `unsupported-media-type` for a body that says it is not the UTF-8 that it is read as. */
export function checkEncoding(
  contentType: string | null | undefined,
  contentEncoding: string | null | undefined,
): void {
  if (contentEncoding && contentEncoding.toLowerCase() !== 'identity') {
    throw new ProblemError(
      'unsupported-media-type',
      'header.content-encoding has to be left out: compressed bodies are not read',
    );
  }
  const [, charset] = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(contentType ?? '') ?? [];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new ProblemError(
      'unsupported-media-type',
      'header.content-type has to have the charset utf-8, or none: JSON is UTF-8',
    );
  }
}
