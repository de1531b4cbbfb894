import { ProblemError } from '../problems/problem-error.js';

/** Of RFC 9110 and RFC 5789; TRACE and CONNECT are for proxies. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Whether a method is one that an address may have; the others are `unknown-method`, whatever the address. */
export function isMethod(method: string): boolean {
  return METHODS.has(method);
}

/** The methods of an address that has routes for some: whoever answers GET answers HEAD (RFC 9110, section 9.1). */
export function methodsTaken(routes: readonly string[]): string[] {
  return routes.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

const BODY_BYTES = 64 * 1024;

/** In units of 64 KiB. */
const LARGER: Readonly<Record<string, number>> = {
  '/v1/leases/renew': 2,
  '/v1/reports': 8,
  '/v1/current': 8,
  '/v1/commands': 16,
};

/** Most bytes of a body: 64 KiB, and more of a list. */
export function bodyLimitOf(path: string): number {
  return (LARGER[path] ?? 1) * BODY_BYTES;
}

/** Throws `invalid-request` for an Idempotency-Key that cannot be one. */
export function checkRequestKey(key: string | null | undefined, place = 'header.idempotency-key'): void {
  if (key === undefined || key === null || (key.length >= 1 && key.length <= 256)) return;
  throw new ProblemError('invalid-request', `${place} has to be 1 to 256 characters`);
}

/** Throws `expectation-failed` for what a request expects and nobody here can give (RFC 9110, section 10.1.1). */
export function checkExpectation(expect: string | null | undefined): void {
  if (!expect || expect.toLowerCase() === '100-continue') return;
  throw new ProblemError('expectation-failed', 'header.expect has to be 100-continue, or left out');
}

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
