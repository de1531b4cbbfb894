import { Command } from 'commander';
import { type AnswerOf, LedgerClient } from '#client';
import { CommandFailed, exitCodes } from '../exit.js';
import { jsonOption, urlOption } from '../options.js';
import { printJson, printLine, printTable } from '../output.js';

const examples = `
Examples:
  session-ledger chain ada site
  session-ledger chain ada site --as-of 2026-11-01T12:00:00Z
  session-ledger chain ada site --json | jq -r '[.chainLength, .reason, .versionId] | @tsv'
`;

const PAGE = 500;
/** As a table at most so many; more are for programs. */
const MOST_ROWS = 10_000;

type Query = { userId: string; projectId: string; asOf?: string; sessionId?: string };
type Placed = AnswerOf<'chain'>['sessions'][number];

export function chain(): Command {
  return new Command('chain')
    .description('the sessions that followed one another, from the tip to the root')
    .argument('<userId>')
    .argument('[projectId]', '', 'default')
    .option('--as-of <time or position>', 'the chain as it was then: RFC 3339, or partition:sequence')
    .option('--session <id>', "another session's chain than the current one's")
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((userId, projectId, { url, json, asOf, session }) => {
      const query = { userId, projectId, ...(asOf && { asOf }), ...(session && { sessionId: session }) };
      return run(sessions(new LedgerClient({ url }), query), json);
    });
}

async function* sessions(ledger: LedgerClient, query: Query): AsyncGenerator<Placed> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: AnswerOf<'chain'> = await ledger.call('chain', {
      query: { ...query, limit: PAGE, ...(after && { after }) },
    });
    yield* page.sessions;
    after = page.next;
  }
}

async function run(found: AsyncIterable<Placed>, json: boolean | undefined): Promise<void> {
  const rows: Placed[] = [];
  let count = 0;
  for await (const session of found) {
    count += 1;
    if (json) printJson(session);
    else if (rows.push(session) === MOST_ROWS) break;
  }
  if (count === 0) throw new CommandFailed('there is no session', exitCodes.notFound);
  if (json) return;
  printTable(['', 'session', 'status', 'reason', 'version', 'started', 'tokens', 'cost'], rows.map(row));
  if (count === MOST_ROWS) printLine(`and perhaps more: these are the last ${MOST_ROWS}; --json gives all`);
}

function row(session: Placed): (string | number | undefined)[] {
  const { usage } = session;
  const cost = Object.entries(usage?.cost ?? {}).map(([currency, amount]) => `${amount} ${currency}`);
  return [
    session.chainLength,
    session.sessionId,
    session.status === 'ended' ? `ended: ${session.endCause}` : session.status,
    session.reason,
    session.versionId,
    session.startedAt,
    usage && `${usage.inputTokens} in, ${usage.outputTokens} out`,
    cost.join(', '),
  ];
}
