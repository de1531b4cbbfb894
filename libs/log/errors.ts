import {
  type Given,
  isAnswered,
  isReadOnly,
  isRefused,
  isStatementError,
  isUnconnected,
  type Queryable,
  query,
  type Result,
  ShareFull,
  type Statement,
} from '#postgres';

/**
 * Why the log could not answer.
 *
 * | code | was the command obeyed? |
 * | --- | --- |
 * | `overloaded` | no: too many wait already |
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
    /** For the caller's eyes, where there is more to say than the code does. */
    readonly detail?: string,
  ) {
    super(message, options);
    this.name = 'LogError';
  }
}

const READ_ONLY =
  'This replica is at a Postgres that takes no writes: a standby, or one that is set to be read-only. Reads are ' +
  'answered; send commands to a replica at the primary.';

/** Postgres could not be used, so nothing was done. */
export function unavailable(cause: unknown): LogError {
  const detail = isReadOnly(cause) ? READ_ONLY : undefined;
  return new LogError('unavailable', 'Postgres cannot be used.', { cause }, detail);
}

/** Our own code broke on some command or on what the log holds for it, so that other commands may pass. */
export class OwnFault extends Error {
  override name = 'OwnFault';
}

/** What a step of our own makes, with no word from Postgres in between. Throws OwnFault for whatever it throws. */
export function ownStep<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    // Its name alone: what it says may quote data, and this message is logged.
    throw new OwnFault(`The ledger itself is at fault: ${(cause as Error).name}`, { cause });
  }
}

const DEFECTS = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError']);

/** Whether only a mistake in our code makes it: neither Postgres nor a connection does. */
export function isDefect(error: unknown): boolean {
  return DEFECTS.has((error as { name?: string }).name ?? '');
}

/**
 * What a failed write is told as: nobody can say what became of it unless Postgres itself did, or there was no connection
 * by which it could have been sent.
 */
export function writeError(cause: unknown): unknown {
  const isOver = cause instanceof LogError || cause instanceof ShareFull || isAnswered(cause);
  if (isOver || isUnconnected(cause) || isRefused(cause)) return readError(cause);
  return new LogError('unknown-outcome', 'It is not yet known whether it was done.', { cause });
}

/**
 * What a failed read is told as: `unavailable`, unless it was not even begun (`overloaded`), the statement itself is
 * wrong, or it says why already.
 */
export function readError(cause: unknown): unknown {
  if (cause instanceof LogError) return cause;
  if (cause instanceof ShareFull) return new LogError('overloaded', cause.message, { cause });
  if (isStatementError(cause)) return cause;
  return unavailable(cause);
}

/** For `catch`: throws what a failed read is told as. */
export function refuseRead(cause: unknown): never {
  throw readError(cause);
}

/** Runs a statement, and rejects with what a failed read is told as. */
export function ask<Row, Values>(
  on: Queryable,
  statement: Statement<Row, Values>,
  ...values: Given<Values>
): Promise<Result<Row>> {
  return query(on, statement, ...values).catch(refuseRead);
}
