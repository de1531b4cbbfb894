import { REFUSALS, type RefusalCode, refusals } from '#session';

/** How a code is told over HTTP. */
export interface ProblemKind {
  status: number;
  title: string;
  /** Whether the same request may succeed later without being changed. */
  retryable: boolean;
  /** Seconds to wait before, for `Retry-After`. Those of `reserved` and `session-ending` are told with each. */
  retryAfter?: number;
}

/** Of refusals that are not 409. */
const STATUS_OF: Partial<Record<RefusalCode, number>> = {
  'operate-required': 403,
  'unknown-checkpoint': 404,
};

/** What the rules refuse, in their own words. */
const refused = Object.fromEntries(
  REFUSALS.map((code) => {
    const { title, passes = false } = refusals[code];
    return [code, { status: STATUS_OF[code] ?? 409, title, retryable: passes }];
  }),
) as Record<RefusalCode, ProblemKind>;

/** Everything that can go wrong, by code: RFC 9457's `type` is `/problems/<code>`. */
export const problems = {
  ...refused,
  'unknown-handle': { status: 404, title: 'The handle is not bound', retryable: false },
  'session-mismatch': { status: 409, title: 'The candidates mean different sessions', retryable: false },
  'position-ahead': { status: 409, title: 'The ledger has not reached this position', retryable: false },
  archived: { status: 410, title: 'The next events are in the archive', retryable: false },
  unauthenticated: { status: 401, title: 'The request has no valid credential', retryable: false },
  'permission-required': { status: 403, title: 'The credential does not allow this', retryable: false },
  'rate-limited': {
    status: 429,
    title: 'Too many requests of this credential, its tenant or this address',
    retryable: true,
    retryAfter: 1,
  },
  misdirected: { status: 421, title: 'This host name does not belong to the service', retryable: false },
  'foreign-origin': {
    status: 403,
    title: 'Web pages of another origin may not call this service',
    retryable: false,
  },
  'unknown-session': { status: 404, title: 'There is no such session', retryable: false },
  'unknown-key': { status: 404, title: 'There is no such key', retryable: false },
  'key-made': { status: 409, title: 'The same request has already created a key', retryable: false },
  'unknown-job': { status: 404, title: 'There is no such job', retryable: false },
  'no-current-session': { status: 404, title: 'The scope has no current session', retryable: false },
  'unknown-version': { status: 404, title: 'No session was created for this version', retryable: false },
  'projection-behind': {
    status: 503,
    title: 'The read models have not reached this position yet',
    retryable: true,
    retryAfter: 1,
  },
  'invalid-request': { status: 400, title: 'The request is not valid', retryable: false },
  'invalid-json': { status: 400, title: 'The body is not valid JSON', retryable: false },
  'invalid-attributes': { status: 400, title: 'The attributes cannot be stored', retryable: false },
  'body-too-large': { status: 413, title: 'The body is too large', retryable: false },
  'headers-too-large': { status: 431, title: 'The address or the headers are too large', retryable: false },
  'request-timeout': { status: 408, title: 'The request took too long to arrive', retryable: true },
  'invalid-http': { status: 400, title: 'The request is not valid HTTP', retryable: false },
  'unsupported-media-type': { status: 415, title: 'The body must be application/json', retryable: false },
  'expectation-failed': { status: 417, title: 'The expectation cannot be met', retryable: false },
  'not-found': { status: 404, title: 'There is nothing at this address', retryable: false },
  'method-not-allowed': { status: 405, title: 'This address does not support this method', retryable: false },
  'unknown-method': { status: 501, title: 'The service does not support this method', retryable: false },
  'key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    retryable: false,
  },
  overloaded: { status: 503, title: 'Too many requests are waiting', retryable: true, retryAfter: 1 },
  timeout: {
    status: 503,
    title: 'The command waited too long and was not applied',
    retryable: true,
    retryAfter: 1,
  },
  unavailable: {
    status: 503,
    title: 'The database is unavailable at the moment',
    retryable: true,
    retryAfter: 2,
  },
  'unknown-outcome': {
    status: 503,
    title: 'It is not yet known whether the command was applied',
    retryable: true,
    retryAfter: 5,
  },
  closing: { status: 503, title: 'The service is stopping', retryable: true, retryAfter: 1 },
  internal: { status: 500, title: 'The service failed', retryable: false },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problems;

/** What to do about a problem, where the title does not say it. */
export const advice: Partial<Record<ProblemCode, string>> = {
  ...Object.fromEntries(REFUSALS.map((code) => [code, refusals[code].advice])),
  'key-made': 'Rotate the key to get a secret for it, or revoke it.',
  unauthenticated: 'Send `Authorization: Bearer <key or token>` with a valid key or token.',
  misdirected: 'Use localhost or 127.0.0.1, or have the operator add the host to LEDGER_ALLOWED_HOSTS.',
  'foreign-origin':
    'If its pages may call the service, have the operator add the origin to LEDGER_CORS_ORIGINS.',
  'unknown-job': 'Jobs are deleted 30 days after they finish.',
  'body-too-large':
    'A body is at most 64 KiB, a list of renewals 128 KiB, of reports or scopes 512 KiB, of commands 1 MiB.',
  'unknown-version':
    'A version is named when a session is rotated. To find one that was named just now, send atLeast=<the position of that answer>.',
  'unknown-handle':
    'Bind it when you start or join a session, or also send a candidate that the ledger knows.',
  'session-mismatch':
    'Send only candidates that mean one session, or `override` to let the first one decide.',
  archived: 'Read the archive up to the first event that the ledger still has, then continue from there.',
  'key-reused': 'Use a new key for a new request. Repeat a request with a body that means the same.',
  'unknown-outcome': 'Repeat the request with the same Idempotency-Key: it is applied at most once.',
};

/** Whether the rules refused a command, and not its form or the machinery. */
export function isRefusal(code: ProblemCode): boolean {
  return problems[code].status === 409 || code === 'operate-required';
}
