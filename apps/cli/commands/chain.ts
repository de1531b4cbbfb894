import { Command } from 'commander';
import { type AnswerOf, LedgerClient, type UsageTotals } from '#client';
import { clientOptions } from '../client.js';
import { CommandFailed, exitCodes } from '../exit.js';
import { asOf, jsonOption, urlOption } from '../options.js';
import { printJson, printLine, printTable, strong } from '../output.js';

const examples = `
The usage of the whole chain is at the end; with --json it is the last document, and has no sessionId.

Examples:
  session-ledger chain ada site
  session-ledger chain ada site --as-of 2026-11-01T12:00:00Z
  session-ledger chain ada site --json | jq -r 'select(.sessionId) | [.chainLength, .reason, .versionId] | @tsv'
`;

const PAGE = 500;
/** As a table at most so many; more are for programs. */
const MOST_ROWS = 10_000;

type Query = { userId: string; projectId: string; asOf?: string; sessionId?: string };
type Page = AnswerOf<'chain'>;
type Placed = Page['sessions'][number];

export function chain(): Command {
  return new Command('chain')
    .description('the sessions that followed one another, from the tip to the root')
    .argument('<userId>')
    .argument('[projectId]', '', 'default')
    .option('--as-of <time or position>', 'the chain as it was then: RFC 3339, or partition:sequence', asOf)
    .option('--session <id>', 'the chain of this session instead of the current one')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((userId, projectId, { url, json, asOf: then, session }) => {
      const query = {
        userId,
        projectId,
        ...(then && { asOf: then }),
        ...(session && { sessionId: session }),
      };
      return run(pages(new LedgerClient(clientOptions(url)), query), json);
    });
}

async function* pages(ledger: LedgerClient, query: Query): AsyncGenerator<Page> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Page = await ledger.call('chain', {
      query: { ...query, limit: PAGE, ...(after && { after }) },
    });
    yield page;
    after = page.next;
  }
}

async function run(found: AsyncIterable<Page>, json: boolean | undefined): Promise<void> {
  const rows: Placed[] = [];
  let count = 0;
  let usage: UsageTotals | undefined;
  for await (const page of found) {
    usage ??= page.usage; // all of the chain's: those of the first page stand as its tip does
    count += page.sessions.length;
    if (json) for (const session of page.sessions) printJson(session);
    else rows.push(...page.sessions);
    if (rows.length >= MOST_ROWS) break;
  }
  if (count === 0) throw new CommandFailed('there is no session', exitCodes.notFound);
  if (json) return usage && printJson({ usage });
  printTable(['', 'session', 'status', 'reason', 'version', 'started', 'tokens', 'cost'], rows.map(row));
  if (rows.length >= MOST_ROWS)
    printLine(`and perhaps more: these are the last ${rows.length}; --json gives all`);
  if (usage && usage.operations > 0) printLine(`${strong('in all')}  ${total(usage)}`);
}

function total({
  operations,
  inputTokens,
  outputTokens,
  cachedTokens,
  durationMs,
  cost,
}: UsageTotals): string {
  const tokens = `${inputTokens} tokens in (${cachedTokens} cached), ${outputTokens} out`;
  const paid = costs(cost).map((one) => `, ${one}`);
  return `${operations} operation${operations === 1 ? '' : 's'}: ${tokens}, ${durationMs / 1_000} s${paid.join('')}`;
}

function costs(cost: UsageTotals['cost']): string[] {
  return Object.entries(cost).map(([currency, amount]) => `${amount} ${currency}`);
}

function row(session: Placed): (string | number | undefined)[] {
  const { usage } = session;
  return [
    session.chainLength,
    session.sessionId,
    session.status === 'ended' ? `ended: ${session.endCause}` : session.status,
    session.reason,
    session.versionId,
    session.startedAt,
    usage && `${usage.inputTokens} in, ${usage.outputTokens} out`,
    costs(usage?.cost ?? {}).join(', '),
  ];
}
