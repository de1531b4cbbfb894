import { CommanderError } from 'commander';
import { maskSecrets } from '#access/masking';
import { CredentialError, LedgerError, NoAnswer, TlogError } from '#client';

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
  return error instanceof CredentialError || isBadPort(error) ? exitCodes.usage : exitCodes.failed;
}

/** One line for what the user can do something about; the whole error for what is ours. */
export async function complain(error: unknown): Promise<void> {
  if (error instanceof CommanderError) return; // has said it already
  process.stderr.write(`${maskSecrets(await inWords(error))}\n`);
  if (error instanceof NoAnswer && !isBadPort(error)) process.stderr.write(`${NOBODY}\n`);
}

const NOBODY = 'Is the ledger running? Start it with npm start, or name it with --url or LEDGER_URL.';

/** A port that fetch never asks, because other protocols have it. */
function isBadPort(error: unknown): boolean {
  const { message, cause } = (error ?? {}) as { message?: string; cause?: unknown };
  return message === 'bad port' || (cause !== undefined && isBadPort(cause));
}

/** Their messages are for users. */
const OURS = [CommandFailed, LedgerError, TlogError];

async function inWords(error: unknown): Promise<string> {
  if (isBadPort(error))
    return 'nothing that speaks HTTP is asked at the port in --url: it has to be another one';
  if (OURS.some((kind) => error instanceof kind)) return withCause(error);
  // They bring the database and Kafka along, which most commands never need.
  const { ofRooms } = await import('./errors-of-rooms.js');
  const { message, code } = error as { message?: string; code?: string };
  const kind = ofRooms(error);
  if (kind === 'ours') return withCause(error);
  if (kind === 'away') return `Postgres cannot be reached: ${message || code}`;
  if (kind === 'refused') return `Postgres refuses: ${message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A message and those of its causes, each a part of one sentence. */
function withCause(error: unknown): string {
  const { message, code, cause } = error as { message?: string; code?: string; cause?: unknown };
  const said = message || code || '';
  const why = cause ? withCause(cause) : '';
  return said && why ? `${said.replace(/\.$/, '')}: ${why}` : said || why;
}
