/**
 * Why the log could not answer.
 *
 * | code | was the command obeyed? |
 * | --- | --- |
 * | `overloaded` | no: the queue is full |
 * | `timeout` | no: it waited in the queue until its deadline |
 * | `unavailable` | no: Postgres could not be used |
 * | `unknown-outcome` | nobody can say yet: ask again with the same idempotency key |
 * | `rejected` | no: Postgres or the decider refuses this one command; a bug |
 * | `closing` | no: the service is stopping |
 * | `schema` | not a command: the database is not at this version |
 * | `archived` | not a command: what was to be read is in archives; always an ArchivedError, which says where |
 */
export type LogErrorCode =
  | 'overloaded'
  | 'timeout'
  | 'unavailable'
  | 'unknown-outcome'
  | 'rejected'
  | 'closing'
  | 'schema'
  | 'archived';

export class LogError extends Error {
  constructor(
    readonly code: LogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'LogError';
  }
}

/** Errors that one command's data can cause: data exception, constraint, limit exceeded, cannot coerce. */
const BY_DATA = /^(22|23|54|42804|42846)/;

/**
 * Whether some command's data is at fault, so that other commands may pass: Postgres answered so, or loading
 * what it needs broke on it.
 */
export function isDataError(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'TypeError') return true;
  return typeof code === 'string' && code.length === 5 && BY_DATA.test(code);
}

/** Whether Postgres itself answered, so that the transaction is known to be over and undone. */
export function isAnswered(error: unknown): boolean {
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && code.length === 5 && severity === 'ERROR';
}

/** A mistake in our own statement: it would fail again, whenever it is asked. */
const BY_STATEMENT = /^(22|42)/;

/** What a failed read is told as: `unavailable`, unless the statement itself is wrong, or it says why already. */
export function readError(cause: unknown): unknown {
  if (cause instanceof LogError) return cause;
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' && code.length === 5 && BY_STATEMENT.test(code)) return cause;
  return new LogError('unavailable', 'Postgres cannot be used.', { cause });
}
