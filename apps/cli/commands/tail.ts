import { Command, InvalidArgumentError } from 'commander';
import { Follower, LedgerClient, type LedgerEvent } from '#client';
import { clientOptions } from '../client.js';
import { scopedRow, scopedTitles } from '../event-row.js';
import { CommandFailed } from '../exit.js';
import { jsonOption, urlOption, wholeNumber } from '../options.js';
import { printJson, startTable } from '../output.js';

const examples = `
Examples:
  session-ledger tail                          the last ten events
  session-ledger tail --follow                 and then new ones, until Ctrl-C
  session-ledger tail --from start --json      the whole log, a document a line
  session-ledger tail --from start -n 20       its first twenty events
  session-ledger tail --from 3:120 --follow    partition 3 after its event 120, the others from now on
`;

const PAGE = 500;
type Places = Map<number, number>;

export function tail(): Command {
  return new Command('tail')
    .description('print the newest events, or those from a position')
    .option('-f, --follow', 'keep running and print new events')
    .option(
      '-n, --lines <n>',
      `how many events: the last ones, 1 to ${PAGE}, 10 by default; with --from the first ones, all by default`,
      wholeNumber(1, PAGE),
    )
    .option('--from <position...>', 'one or more partition:sequence, or start', places)
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(run);
}

interface Options {
  follow?: true;
  lines?: number;
  from?: Places | 'start';
  url: string;
  json?: true;
}

async function run({ follow, lines, from, url, json }: Options): Promise<void> {
  const ledger = new LedgerClient(clientOptions(url));
  const { heads } = (await ledger.call('stats', { query: { limit: 1 } })).ledger ?? {};
  if (!heads) throw new CommandFailed('the credential needs the permission audit');
  if (from instanceof Map) checkPlaces(from, heads);
  const asked = from ? eventsFrom(ledger, heads, from) : await lastEvents(ledger, heads, lines ?? 10);
  const show = json ? printJson : shown();
  let left = lines ?? Number.POSITIVE_INFINITY;
  for await (const event of asked) {
    show(event);
    left -= 1;
    if (left === 0 && from) return; // the first so many, and no more
  }
  if (follow) await followAfter(ledger, heads, show);
}

/** As wide as what is usual: events are shown as they come, so nothing is known of the widest. */
const WIDTHS = [9, 24, 16, 12, 18, 36, 5];

function shown(): (event: LedgerEvent) => void {
  const printRow = startTable(scopedTitles, WIDTHS);
  return (event) => printRow(scopedRow(event));
}

/** A position that there is not would be waited for in vain. */
function checkPlaces(places: Places, heads: readonly number[]): void {
  for (const [partition, sequence] of places) {
    const head = heads[partition];
    if (head === undefined) throw new CommandFailed(`the ledger has the partitions 0 to ${heads.length - 1}`);
    if (sequence > head) throw new CommandFailed(`partition ${partition} ends after ${head}`);
  }
}

/** Partition by partition, up to these heads. */
async function* eventsFrom(
  ledger: LedgerClient,
  heads: readonly number[],
  from: Places | 'start',
): AsyncGenerator<LedgerEvent> {
  for (const [partition, head] of heads.entries()) {
    yield* eventsOf(ledger, partition, from === 'start' ? 0 : (from.get(partition) ?? head), head);
  }
}

/** The last of all partitions, by time. */
async function lastEvents(
  ledger: LedgerClient,
  heads: readonly number[],
  count: number,
): Promise<LedgerEvent[]> {
  const ends: LedgerEvent[] = [];
  for (const [partition, head] of heads.entries()) {
    for await (const event of eventsOf(ledger, partition, Math.max(0, head - count), head)) ends.push(event);
  }
  return ends.sort((one, other) => (one.time < other.time ? -1 : 1)).slice(-count);
}

/** A partition's events after one and up to another, in order. */
async function* eventsOf(
  ledger: LedgerClient,
  partition: number,
  after: number,
  upTo: number,
): AsyncGenerator<LedgerEvent> {
  for (let last = after; last < upTo; ) {
    const limit = Math.min(PAGE, upTo - last);
    const { events } = await ledger.call('feed', { query: { partition, after: last, limit } });
    if (events.length === 0) throw new CommandFailed(`partition ${partition} ends after ${last}`);
    yield* events;
    last += events.length;
  }
}

/** Until Ctrl-C. */
async function followAfter(
  ledger: LedgerClient,
  heads: readonly number[],
  show: (event: LedgerEvent) => void,
): Promise<void> {
  const follower = new Follower({
    ledger,
    from: new Map(heads.entries()),
    onEvents: (events) => {
      for (const { document } of events) show(document);
    },
    onStopped: () => {}, // `done` says why
    onTrouble: (error) => process.stderr.write(`${(error as Error).message}\n`),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void follower.stop());
  const why = await follower.done;
  if (why) throw new CommandFailed(why.message);
}

function places(text: string, before: Places | 'start' = new Map()): Places | 'start' {
  if (text === 'start') return text;
  const [, partition, sequence] = /^(\d{1,4}):(\d{1,15})$/.exec(text) ?? [];
  if (partition === undefined || before === 'start') {
    throw new InvalidArgumentError('It has to be partition:sequence, such as 3:120, or start.');
  }
  return before.set(Number(partition), Number(sequence));
}
