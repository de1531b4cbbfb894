import { existsSync, readFileSync } from 'node:fs';
import { Option } from 'commander';
import {
  type AuditLog,
  type SignedCheckpoint,
  TlogError,
  verifyCheckpoint,
  verifyConsistency,
} from '#client';
import { rest } from '#waiting';
import { CommandFailed, exitCodes } from '../../exit.js';

/** Whom to believe. */
export const keyOption = () =>
  new Option(
    '--key <vkey...>',
    "the ledger's verifier keys, or files of them, as you got them when you trusted it",
  )
    .env('LEDGER_AUDIT_VKEY')
    .makeOptionMandatory();

/** Keys as they stand there, or in files, one a line. */
export function keysIn(given: string | readonly string[]): string[] {
  const all = typeof given === 'string' ? given.split(/\s+/) : given;
  return all.flatMap((one) => {
    if (isKey(one)) return [one];
    if (existsSync(one)) return linesOf(one);
    throw new CommandFailed(`${one} is neither a verifier key nor a file`, exitCodes.usage);
  });
}

const isKey = (text: string): boolean => /^[^\s+]+\+[0-9a-f]{8}\+/.test(text);
const linesOf = (file: string): string[] =>
  readText(file)
    .split('\n')
    .filter((line) => line.trim() !== '');

/** A file's text, or in words why there is none. */
export function readText(file: string): string {
  return readBytes(file).toString('utf8');
}

export function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** What cannot be proven is said in a line, under an exit code of its own. */
export async function orUnsound<T>(what: string, proving: Promise<T>): Promise<T> {
  try {
    return await proving;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new CommandFailed(`${what}: NOT PROVEN (${error.fault}): ${error.message}`, exitCodes.unsound);
  }
}

/** A checkpoint is at most a second old, and each replica's by itself. */
const OLDEST_MS = 1_100;

/**
 * The ledger's checkpoint of a partition now. One that is smaller than what was kept may come from a replica that has not
 * looked since: it is asked for once more before anybody calls that a shrink.
 */
async function presentCheckpoint(
  log: Pick<AuditLog, 'checkpoint'>,
  { partition, size }: SignedCheckpoint,
  note: string,
  keys: readonly string[],
): Promise<{ note: string; checkpoint: SignedCheckpoint }> {
  const checkpoint = await verifyCheckpoint(note, keys);
  if (checkpoint.partition !== partition || checkpoint.size >= size) return { note, checkpoint };
  await rest(OLDEST_MS);
  const again = await log.checkpoint(partition);
  return { note: again, checkpoint: await verifyCheckpoint(again, keys) };
}

/** Two checkpoints of a partition, the second of which has grown from the first. */
export interface GrownLog {
  before: SignedCheckpoint;
  now: SignedCheckpoint;
  /** The note of the second one. */
  note: string;
}

/**
 * Proves that a partition has grown from a checkpoint that was kept.
 *
 * @param shown its checkpoint as the ledger has just told it; it is asked for when left out
 * @throws TlogError
 */
export async function grownFrom(
  log: Pick<AuditLog, 'checkpoint' | 'consistency'>,
  kept: string,
  keys: readonly string[],
  shown?: string,
): Promise<GrownLog> {
  const before = await verifyCheckpoint(kept, keys);
  const first = shown ?? (await log.checkpoint(before.partition));
  const { note, checkpoint: now } = await presentCheckpoint(log, before, first, keys);
  const canAsk = before.size > 0 && before.size < now.size && before.origin === now.origin;
  const hashes = canAsk ? await log.consistency(before.partition, before.size, now.size) : [];
  await verifyConsistency({ before: kept, after: note, hashes, keys });
  return { before, now, note };
}
