import { Command, Option } from 'commander';
import { auditLog, LedgerClient, verifyEvent } from '#client';
import { clientOptions } from '../../client.js';
import { CommandFailed, exitCodes } from '../../exit.js';
import { jsonOption, urlOption } from '../../options.js';
import { printJson, printLine } from '../../output.js';
import { isReport, verifyReport } from './report-file.js';
import { grownFrom, keyOption, keysIn, orUnsound, readBytes, readText } from './trust.js';

const examples = `
A proof and a report are checked offline. A checkpoint is compared with the ledger's present one: what was in the log then
is in it now, at the same places.

Examples:
  session-ledger audit verify proof.tlog-proof --event event.json --key ledger.vkey
  session-ledger audit verify report.json --key ledger.vkey
  session-ledger audit verify --checkpoint kept.txt --key ledger.vkey
`;

interface Options {
  key: string | string[];
  event?: string;
  checkpoint?: string;
  url: string;
  json?: boolean;
}

export function verify(): Command {
  return new Command('verify')
    .description('check a proof, a report, or that the ledger has grown from a checkpoint')
    .argument('[file]', 'a proof (.tlog-proof) or a report (.json)')
    .addOption(keyOption())
    .option('--event <file>', "the event that the proof is of: its very bytes, as Kafka's record has them")
    .addOption(new Option('--checkpoint <file>', 'a checkpoint that you have kept').conflicts('event'))
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((file: string | undefined, options: Options) => run(file, options));
}

async function run(file: string | undefined, options: Options): Promise<void> {
  const { event, checkpoint, json } = options;
  if ((file === undefined) === (checkpoint === undefined))
    throw new CommandFailed('give either a file or --checkpoint (see --help)', exitCodes.usage);
  const keys = keysIn(options.key);
  const proven =
    checkpoint !== undefined
      ? await grown(checkpoint, keys, options)
      : await offline(file as string, event, keys);
  if (json) printJson(proven);
  else printLine(`proven: ${proven.what}`);
}

/** What was proven, in words and for programs. */
type Proven = { what: string } & Record<string, unknown>;

async function offline(file: string, event: string | undefined, keys: string[]): Promise<Proven> {
  const text = readText(file);
  if (isReport(text)) {
    const { events, scope, from, to, checkpoint } = await orUnsound(file, verifyReport(text, keys));
    const what = `${events} events of ${scope}, from ${from} to ${to}, are in the log of ${checkpoint.origin}, and none between them is missing`;
    return { what, events, scope, from, to, ...told(checkpoint) };
  }
  if (event === undefined)
    throw new CommandFailed('--event is missing: what is the proof of?', exitCodes.usage);
  const proof = verifyEvent({ event: withoutLineEnd(readBytes(event)), proof: text, keys });
  const { partition, sequence, checkpoint } = await orUnsound(file, proof);
  const what = `the event is at ${partition}:${sequence} in the log of ${checkpoint.origin}, which had ${checkpoint.size} events`;
  return { what, position: `${partition}:${sequence}`, ...told(checkpoint) };
}

async function grown(file: string, keys: string[], { url }: Options): Promise<Proven> {
  const log = auditLog(new LedgerClient(clientOptions(url)));
  const { before, now } = await orUnsound(file, grownFrom(log, readText(file), keys));
  const what = `the log of ${now.origin} has grown from ${before.size} to ${now.size} events, and nothing before has changed`;
  return { what, from: before.size, to: now.size, ...told(now) };
}

const told = ({ origin, size, signedBy }: { origin: string; size: number; signedBy: string[] }) => ({
  ...{ origin, size, signedBy },
});

/** Editors and shells end files with one; events do not. */
function withoutLineEnd(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}
