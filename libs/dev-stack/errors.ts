/**
 * A fault that the person who started the service can put right. The message is the one line to show,
 * without a stack: it says what is wrong and what to do.
 */
export class DevStackError extends Error {
  override readonly name = 'DevStackError';
}
