import { CommanderError } from 'commander';
import { maskSecrets } from '#access';
import { ArchiveError } from '#archive';
import { KafkaSettingsError } from '#broker';
import { LedgerError, TlogError } from '#client';
import { KeyFileError, LogError } from '#log';
import { DatabaseUrlError, isAway, isRefused } from '#postgres';

/** What the exit code says, the same for every command. */
export const exitCodes = {
  done: 0,
  /** The ledger, its database or a file could not be used, or the request was refused. */
  failed: 1,
  usage: 2,
  notFound: 3,
  /** What was verified is not as it should be. */
  unsound: 4,
} as const;

/** A command that came to nothing, in words for the user. */
export class CommandFailed extends Error {
  constructor(
    message: string,
    readonly code: (typeof exitCodes)[keyof typeof exitCodes] = exitCodes.failed,
  ) {
    super(message);
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandFailed) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  return exitCodes.failed;
}

/** One line for what the user can do something about; the whole error for what is ours. */
export function complain(error: unknown): void {
  if (error instanceof CommanderError) return; // has said it already
  process.stderr.write(`${maskSecrets(inWords(error))}\n`);
}

/** Their messages are for users. */
const OURS = [
  CommandFailed,
  LedgerError,
  LogError,
  ArchiveError,
  DatabaseUrlError,
  KafkaSettingsError,
  KeyFileError,
  TlogError,
];

function inWords(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  const known = OURS.some((kind) => error instanceof kind);
  if (known) return `${message}${causeOf(error)}`;
  if (isAway(error)) return `Postgres cannot be reached: ${message || code}`;
  if (isRefused(error)) return `Postgres refuses: ${message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { message?: string; code?: string; cause?: unknown } };
  if (!cause) return '';
  const said = cause.message || cause.code;
  return `${said ? `: ${said}` : ''}${causeOf(cause)}`;
}
