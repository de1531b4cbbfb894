import { existsSync, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { nodeHash } from '#audit';
import { auditLog, LedgerClient, type LedgerEvent, verifyCheckpoint } from '#client';
import { hashesOf, parseTlogProof, rangesOfInclusion, toBase64 } from '#tlog';
import { clientOptions } from '../../client.js';
import { CommandFailed, exitCodes } from '../../exit.js';
import { jsonOption, urlOption } from '../../options.js';
import { printFields, printJson, progress } from '../../output.js';
import {
  erasuresIn,
  REPORT_FORMAT,
  type Report,
  type ReportedEvent,
  summaryOf,
  verifyReport,
} from './report-file.js';
import { keysIn, orUnsound } from './trust.js';

const examples = `
Writes one file about a user's project: the events, the proof of each, a signed checkpoint, what was erased and when, and
a summary for people. Anyone can check it with session-ledger audit verify, without the ledger.

Examples:
  session-ledger audit report --user ada --project captions -o report.json
  session-ledger audit report --user ada --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z -o november.json
`;

interface Options {
  user: string;
  project: string;
  from?: string;
  to?: string;
  output: string;
  key?: string[];
  url: string;
  json?: boolean;
}

/** Events are held in memory, about 2 kB each. */
const MOST_EVENTS = 1_000_000;

export function report(): Command {
  return new Command('report')
    .description('the history of a scope and its proofs, in one file')
    .requiredOption('--user <userId>', 'whose')
    .option('--project <projectId>', 'of which project', 'default')
    .option('--from <time>', 'only events from this time on', instant)
    .option('--to <time>', 'only events up to this time', instant)
    .requiredOption('-o, --output <file>', 'where it goes')
    .option(
      '--key <vkey...>',
      "the ledger's verifier keys, or files of them; those that it tells of when left out",
    )
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  const { user: userId, project: projectId, from, to, output, json } = options;
  if (existsSync(output)) throw new CommandFailed(`${output} is there already`, exitCodes.usage);
  const ledger = new LedgerClient(clientOptions(options.url));
  const log = auditLog(ledger);
  const { keys: told } = await log.keys();
  const keys = options.key ? keysIn(options.key) : told;
  if (told.length === 0)
    throw new CommandFailed(
      'the ledger does not sign: create a key with session-ledger audit keygen, and set LEDGER_AUDIT_KEY_FILE',
    );
  const events: LedgerEvent[] = [];
  let before: LedgerEvent | undefined;
  for await (const event of ledger.history({ userId, projectId })) {
    if (to !== undefined && event.time > to) break;
    if (from === undefined || event.time >= from) events.push(stored(event));
    else before = stored(event);
    if (events.length > MOST_EVENTS)
      throw new CommandFailed(`there are over ${MOST_EVENTS} events: ask for a shorter time`);
  }
  const [first, last] = [events[0], events.at(-1)];
  if (!first || !last) throw new CommandFailed('the scope has no events in this time', exitCodes.notFound);
  const partition = Number(first.id.split(':')[0]);
  // Of its last event's proof: any other one may be from before that.
  const { checkpoint } = parseTlogProof(await log.proof(last.id));
  const { size } = await orUnsound(options.url, verifyCheckpoint(checkpoint, keys));
  const bar = progress('proving');
  const prove = async (event: LedgerEvent): Promise<ReportedEvent> => {
    const ranges = rangesOfInclusion(Number(event.id.split(':')[1]) - 1, size);
    const hashes = await hashesOf(ranges, size, (places) => log.tiles(partition, places), nodeHash);
    return { position: event.id, event: JSON.stringify(event), proof: hashes.map(toBase64) };
  };
  const proven: ReportedEvent[] = [];
  for (const event of events) {
    proven.push(await prove(event));
    bar.at(proven.length, events.length);
  }
  bar.stop();
  const text = JSON.stringify(
    {
      format: REPORT_FORMAT,
      scope: { userId, projectId },
      ...(from && { from }),
      ...(to && { to }),
      madeAt: new Date().toISOString(),
      keys: told,
      checkpoint,
      ...(before && { before: await prove(before) }),
      events: proven,
      erased: erasuresIn(events),
      summary: summaryOf(events),
    } satisfies Report,
    undefined,
    1,
  );
  // Not handed on before it is what whoever gets it will find.
  await orUnsound(options.url, verifyReport(text, keys));
  writeFileSync(output, `${text}\n`, { flag: 'wx' });
  const facts = {
    report: output,
    events: events.length,
    from: first.time,
    to: last.time,
    checkpoint: `${partition}:${size}`,
  };
  if (json) printJson(facts);
  else printFields(facts);
}

/** As it stands in the log: pages say of an ignored stop how often it came, besides. */
function stored(event: LedgerEvent): LedgerEvent {
  const { ignoredstops: _, ...rest } = event as LedgerEvent & { ignoredstops?: number };
  return rest as LedgerEvent;
}

function instant(text: string): string {
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time.toISOString();
  throw new InvalidArgumentError('It has to be a time such as 2026-11-01T12:00:00Z.');
}
