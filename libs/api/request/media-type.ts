import { ProblemError } from '../problems/problem-error.js';

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
  const charset = parametersOf(contentType ?? '').get('charset');
  if (charset !== undefined && !/^"?utf-?8"?$/i.test(charset)) {
    throw new ProblemError(
      'unsupported-media-type',
      'header.content-type has to have the charset utf-8, or none: JSON is UTF-8',
    );
  }
}

/** A parameter of a media type (RFC 9110, section 5.6.6); what is in quotes is one value. */
const PARAMETER = /;\s*([^\s;=]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]*)/g;

/** By their names in lower case. Throws `unsupported-media-type` for one that stands twice. */
function parametersOf(contentType: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = '', value = ''] of contentType.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (parameters.has(key)) {
      throw new ProblemError(
        'unsupported-media-type',
        `header.content-type has ${key.slice(0, 64)} twice: send it once`,
      );
    }
    parameters.set(key, value);
  }
  return parameters;
}
