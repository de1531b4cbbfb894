import type { RefusalCode } from '#session';

/** How a code is told over HTTP. */
export interface ProblemKind {
  status: number;
  title: string;
  /** Whether the same request may succeed later without being changed. */
  retryable: boolean;
  /** Seconds to wait before, for `Retry-After`. Those of `reserved` and `session-ending` are told with each. */
  retryAfter?: number;
}

/** Everything that can go wrong, by code: RFC 9457's `type` is `/problems/<code>`. */
export const problems = {
  'stale-epoch': {
    status: 409,
    title: 'The owner or the session has changed since that epoch',
    retryable: false,
  },
  'stale-session': { status: 409, title: 'Another session is current', retryable: false },
  'future-epoch': { status: 409, title: 'The ledger has not reached this epoch', retryable: false },
  'session-active': { status: 409, title: 'The scope has a current session', retryable: false },
  'session-not-active': { status: 409, title: 'The session has no active owner', retryable: false },
  'session-ending': { status: 409, title: 'The session is ending', retryable: true },
  'session-ended': { status: 409, title: 'The session has ended and none is current', retryable: false },
  reserved: { status: 409, title: 'The session is reserved for another owner', retryable: true },
  'no-lease': { status: 409, title: 'The session has no lease to renew', retryable: false },
  'not-owner': { status: 409, title: 'The session has another owner', retryable: false },
  'chain-too-long': {
    status: 409,
    title: 'The chain has reached the length that its policy allows',
    retryable: false,
  },
  'usage-overflow': { status: 409, title: 'The usage totals would be too large', retryable: false },
  'too-many-currencies': {
    status: 409,
    title: 'The session already has costs in eight currencies',
    retryable: false,
  },
  'session-invalid': { status: 409, title: 'The session was reported invalid', retryable: false },
  'unknown-checkpoint': { status: 404, title: 'The scope has no such checkpoint', retryable: false },
  'checkpoint-taken': {
    status: 409,
    title: 'The label names a checkpoint of another session',
    retryable: false,
  },
  'too-many-checkpoints': { status: 409, title: 'The scope already has 100 checkpoints', retryable: false },
  'handle-taken': { status: 409, title: 'The handle is already bound to something else', retryable: false },
  'too-many-handles': { status: 409, title: 'The session has too many handles', retryable: false },
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
  'operate-required': { status: 403, title: 'This needs the operate permission', retryable: false },
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
} as const satisfies Record<RefusalCode, ProblemKind> & Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problems;

/** What to do about a problem, where the title does not say it. */
export const advice: Partial<Record<ProblemCode, string>> = {
  'key-made': 'Rotate the key to get a secret for it, or revoke it.',
  unauthenticated: 'Send `Authorization: Bearer <key or token>` with a valid key or token.',
  misdirected: 'Use localhost or 127.0.0.1, or have the operator add the host to LEDGER_ALLOWED_HOSTS.',
  'foreign-origin':
    'If its pages may call the service, have the operator add the origin to LEDGER_CORS_ORIGINS.',
  'stale-epoch': 'Read the current session. If it is still yours, repeat the command with its epoch.',
  'stale-session': 'This session has ended for good. Use the one in `current`.',
  'future-epoch': 'The ledger was restored to an earlier state, or the epoch was made up. Nothing was done.',
  'session-active': 'Use onConflict "supersede" or "join", or end the current session first.',
  'unknown-job': 'Jobs are deleted 30 days after they finish.',
  'body-too-large':
    'A body is at most 64 KiB, a list of renewals 128 KiB, of reports or scopes 512 KiB, of commands 1 MiB.',
  'unknown-version':
    'A version is named when a session is rotated. To find one that was named just now, send atLeast=<the position of that answer>.',
  'session-ended': 'Start a new session; an ended one never comes back.',
  'session-ending':
    'Wait until the session has ended: when its owner confirms it, or when its drain time is over.',
  reserved: 'Wait until the reservation is over, or let the owner that it names claim the session.',
  'not-owner': 'Ask the owner to release the session, or start a new one in its place.',
  'chain-too-long': 'Rotate with reason "reset": it starts a new chain and is always allowed.',
  'usage-overflow': 'Nothing was recorded. Counts stay below 2^53, costs below 10^18.',
  'too-many-currencies': 'Nothing was recorded. Report the cost in one of the currencies of the session.',
  'session-invalid': 'Choose another session, or start without a checkpoint.',
  'checkpoint-taken': 'Checkpoints never move: choose another label.',
  'too-many-checkpoints': 'Checkpoints cannot be removed: mark only sessions that are worth returning to.',
  'handle-taken': 'A handle names one scope or one session. Unbind it there first, or use another one.',
  'too-many-handles': 'Unbind one of its 8 handles before you bind another one.',
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
