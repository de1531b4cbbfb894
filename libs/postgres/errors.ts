/** Errors that one statement's data can cause: data exception, constraint, limit exceeded, cannot coerce. */
const BY_DATA = /^(22|23|54|42804|42846)/;

/** Whether Postgres answered that some statement's data is at fault, so that others may pass. */
export function isDataError(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return isSqlState(code) && BY_DATA.test(code);
}

/** Whether Postgres itself answered, so that the transaction is known to be over and undone. */
export function isAnswered(error: unknown): boolean {
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return isSqlState(code) && severity === 'ERROR';
}

/** Whether a lock could not be had in the time that a statement may wait for it. */
export function isLockTimeout(error: unknown): boolean {
  return (error as { code?: unknown }).code === '55P03';
}

/** Whether Postgres takes no writes: it is a standby, or set so. Also where this is what another error was caused by. */
export function isReadOnly(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return code === '25006' || (cause !== undefined && isReadOnly(cause));
}

/** A mistake in our own statement: it would fail again, whenever it is asked. */
const BY_STATEMENT = /^(22|42)/;

/** Whether the statement itself is wrong. */
export function isStatementError(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return isSqlState(code) && BY_STATEMENT.test(code);
}

function isSqlState(code: unknown): code is string {
  return typeof code === 'string' && code.length === 5;
}

/** Postgres could not be reached in the time that there was, or its address cannot be read; for a user to read. */
export class PostgresAway extends Error {
  override name = 'PostgresAway';
}

/** Starting, stopping or full of connections: it will take others later. And class 08, connection exceptions. */
const NOT_NOW = /^(57P0\d|53300|08\w{3})$/;
const OF_NETWORKS = ['connect', 'getaddrinfo', 'read', 'write'];
/** What pg says itself, without a code. */
const LOST = /^(Connection terminated|timeout expired)/;

/** Whether an error says that Postgres cannot be reached now, so that it is worth trying again. */
export function isAway(error: unknown): boolean {
  const { code, syscall, message, errors } = (error ?? {}) as {
    [field in 'code' | 'syscall' | 'message']?: string;
  } & { errors?: unknown };
  if (Array.isArray(errors)) return errors.some(isAway); // of each address that a name has
  if (syscall !== undefined) return OF_NETWORKS.includes(syscall);
  return NOT_NOW.test(code ?? '') || LOST.test(message ?? '');
}

/** Whether there was no connection, so that nothing was sent. */
export function isUnconnected(error: unknown): boolean {
  const { syscall, errors } = (error ?? {}) as { syscall?: string; errors?: unknown };
  if (Array.isArray(errors)) return errors.length > 0 && errors.every(isUnconnected);
  return syscall === 'connect' || syscall === 'getaddrinfo';
}

/** No such login or database, a wrong password, no right: its answer says all there is to know. */
const REFUSED = /^(28|3D|42501)/;

/** Whether Postgres answers, but not this login. */
export function isRefused(error: unknown): boolean {
  return REFUSED.test((error as { code?: string } | undefined)?.code ?? '');
}
