import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { SigningKey } from '#audit';
import { type AuditLog, auditLog, LedgerClient, LedgerError, TlogError, verifyCheckpoint } from '#client';
import { readSigningKey } from '#proofs';
import { cosignedText, noteText, parseNote, SIGNATURE_TYPES, type Signature } from '#tlog';
import { rest } from '#waiting';
import { clientOptions } from '../../client.js';
import { CommandFailed, exitCodes } from '../../exit.js';
import { jsonOption, timeSpan, urlOption } from '../../options.js';
import { alarming, printJson, printLine } from '../../output.js';
import { grownFrom, keyOption, keysIn, readText } from './trust.js';

const examples = `
Keeps the last checkpoint of each partition, and asks for proof that the next one has grown from it. If a partition was
forked, shortened or changed, this reports it, keeps both checkpoints in the directory, and exits with code 4.
With --witness-key it also signs what it verified (c2sp.org/tlog-cosignature): others can then rely on it that this
watcher saw no other log. It prints the public form of that key at the start.

Examples:
  session-ledger audit watch --dir checkpoints --key ledger.vkey
  session-ledger audit watch --dir checkpoints --key ledger.vkey --once
  session-ledger audit keygen --origin witness.example.com -o witness.key
  session-ledger audit watch --dir checkpoints --key ledger.vkey --witness-key witness.key
`;

interface Options {
  dir: string;
  key: string | string[];
  every: number;
  once?: boolean;
  witnessKey?: string;
  url: string;
  json?: boolean;
}

export function watch(): Command {
  return new Command('watch')
    .description('keep checkpoints, and report when the log was changed')
    .requiredOption('--dir <directory>', 'where to keep them, out of reach of the ledger')
    .addOption(keyOption())
    .option('--every <time>', 'how often to look, such as 30s or 5m', timeSpan, 60)
    .option('--once', 'look once')
    .option('--witness-key <file>', 'your key, made by audit keygen, to sign what was verified')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  const { dir, once, every, url } = options;
  mkdirSync(dir, { recursive: true });
  const witness = options.witnessKey === undefined ? undefined : readSigningKey(options.witnessKey);
  if (witness && !options.json) printLine(`witness: ${witness.witnessKey}`);
  const watcher = new Watcher(
    options,
    keysIn(options.key),
    auditLog(new LedgerClient(clientOptions(url))),
    witness,
  );
  for (;;) {
    try {
      await watcher.look();
    } catch (error) {
      // What is not there for a while proves nothing; what is wrong ends the watch.
      if (once || !isForAWhile(error)) throw error;
      printLine(`${new Date().toISOString()}  ${alarming((error as Error).message)}`);
    }
    if (once) return;
    await rest(Math.max(1, every) * 1_000);
  }
}

/** The ledger, or one of its partitions, gives no answer: what is proven to be wrong has a code of its own. */
function isForAWhile(error: unknown): boolean {
  return error instanceof LedgerError || (error instanceof CommandFailed && error.code === exitCodes.failed);
}

interface Found {
  partitions: number;
  events: number;
  grown: number;
  /** What is proven to be wrong. */
  wrong: string[];
  /** Partitions that the ledger gives no proof of: asked again the next time. */
  unproven: string[];
}

class Watcher {
  constructor(
    private readonly options: Pick<Options, 'dir' | 'json'>,
    private readonly keys: readonly string[],
    private readonly log: AuditLog,
    private readonly witness: SigningKey | undefined,
  ) {}

  async look(): Promise<void> {
    const notes = await this.log.checkpoints();
    let [events, grown] = [0, 0];
    const wrong: string[] = [];
    const unproven: string[] = [];
    for (const [partition, note] of notes.entries()) {
      try {
        const seen = await this.seen(partition, note);
        events += seen.size;
        grown += seen.grown;
      } catch (error) {
        // One that gives no proof must not keep the others from being looked at.
        if (error instanceof LedgerError)
          unproven.push(`partition ${partition} has no proof: ${error.message}`);
        if (error instanceof LedgerError) continue;
        if (!(error instanceof TlogError)) throw error;
        wrong.push(`partition ${partition}: ${error.fault}: ${error.message}`);
        writeFileSync(this.file(partition, 'conflict'), note);
      }
    }
    for (const partition of this.kept().filter((one) => one >= notes.length))
      wrong.push(`partition ${partition}: shrunk: the ledger reports only ${notes.length} partitions`);
    this.tell({ partitions: notes.length, events, grown, wrong, unproven });
    if (wrong.length > 0) {
      const what = `${alarming('the log has been changed')}:\n${wrong.join('\n')}\nBoth checkpoints are in ${this.options.dir}.`;
      throw new CommandFailed(what, exitCodes.unsound);
    }
    if (unproven.length > 0) throw new CommandFailed(unproven.join('\n'));
  }

  /** How large the partition's tree is, and by how much it has grown. */
  private async seen(partition: number, note: string): Promise<{ size: number; grown: number }> {
    const shown = await verifyCheckpoint(note, this.keys);
    if (shown.partition !== partition)
      throw new TlogError('another-log', `the checkpoint in its place is of ${shown.origin}`);
    const file = this.file(partition, 'checkpoint');
    if (!existsSync(file)) {
      this.keep(file, note);
      return { size: shown.size, grown: shown.size };
    }
    const kept = readText(file);
    const { before, now, note: newest } = await grownFrom(this.log, kept, this.keys, note);
    const grown = now.size - before.size;
    if (grown > 0 || !this.hasMine(kept)) this.keep(file, newest);
    return { size: now.size, grown };
  }

  /** Never half a file: it is what all that comes is measured by. */
  private keep(file: string, note: string): void {
    writeFileSync(`${file}.new`, this.witness ? cosigned(note, this.witness) : note);
    renameSync(`${file}.new`, file);
  }

  /** Whether what was kept is signed as it should be: a watcher may get a key of its own later. */
  private hasMine(kept: string): boolean {
    const { witness } = this;
    return !witness || parseNote(kept).signatures.some(({ name }) => name === witness.name);
  }

  /** Partitions that a checkpoint was kept of. */
  private kept(): number[] {
    const files = readdirSync(this.options.dir);
    return files.flatMap((file) => /^(\d+)\.checkpoint$/.exec(file)?.[1] ?? []).map(Number);
  }

  private file(partition: number, kind: 'checkpoint' | 'conflict'): string {
    return join(this.options.dir, `${partition}.${kind}`);
  }

  private tell(found: Found): void {
    const at = new Date().toISOString();
    if (this.options.json) printJson({ at, ...found });
    if (this.options.json || found.wrong.length + found.unproven.length > 0) return;
    printLine(
      `${at}  ${found.partitions} partitions, ${found.events} events, ${found.grown} of them new: nothing has changed`,
    );
  }
}

/** The note with the witness's signature besides (c2sp.org/tlog-cosignature): eight bytes of time, then Ed25519. */
function cosigned(note: string, witness: SigningKey): string {
  const { text, signatures } = parseNote(note);
  const seconds = Math.floor(Date.now() / 1_000);
  const { keyId, bytes } = witness.signAs(SIGNATURE_TYPES.cosignature, cosignedText(seconds, text));
  const timed = new Uint8Array(8 + bytes.length);
  new DataView(timed.buffer).setBigUint64(0, BigInt(seconds));
  timed.set(bytes, 8);
  const mine: Signature = { name: witness.name, keyId, bytes: timed };
  return noteText({ text, signatures: [...signatures, mine] });
}
