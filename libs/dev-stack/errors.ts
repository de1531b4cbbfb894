/**
 * A fault that the person who started the service can put right. The message is the one line to show,
 * without a stack: it says what is wrong and what to do.
 */
export class DevStackError extends Error {
  override readonly name = 'DevStackError';
}

/** What a directory that cannot be used is told as; any other error stays what it is. */
export function aboutFiles(part: string, error: unknown): unknown {
  const { message, path, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof DevStackError || path === undefined || syscall?.startsWith('spawn')) return error;
  return new DevStackError(
    `${part}: cannot use its directory: ${message}; choose another with LEDGER_DATA_DIR`,
    {
      cause: error,
    },
  );
}
