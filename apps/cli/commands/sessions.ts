import { Command } from 'commander';
import { type AnswerOf, LedgerClient } from '#client';
import { clientOptions } from '../client.js';
import { jsonOption, urlOption } from '../options.js';
import { printJson, printLine, printTable } from '../output.js';
import { inWords } from '../show-session.js';

const examples = `
The newest first; session-ledger chain shows how they followed one another.

Examples:
  session-ledger sessions ada captions
  session-ledger sessions ada captions --version-id v42
  session-ledger sessions ada --json | jq -r 'select(.status != "ended") | .sessionId'
`;

const PAGE = 500;
/** As a table at most so many; more are for programs. */
const MOST_ROWS = 10_000;

type Listed = AnswerOf<'sessions'>['sessions'][number];

export function sessions(): Command {
  return new Command('sessions')
    .description("all sessions of a user's project, ended ones included")
    .argument('<userId>')
    .argument('[projectId]', '', 'default')
    .option('--version-id <id>', 'only those made for this version')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((userId, projectId, { url, versionId, json }) =>
      run(
        listed(new LedgerClient(clientOptions(url)), { userId, projectId, ...(versionId && { versionId }) }),
        json,
      ),
    );
}

async function* listed(
  ledger: LedgerClient,
  query: { userId: string; projectId: string; versionId?: string },
): AsyncGenerator<Listed> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: AnswerOf<'sessions'> = await ledger.call('sessions', {
      query: { ...query, limit: PAGE, ...(after && { after }) },
    });
    yield* page.sessions;
    after = page.next;
  }
}

async function run(found: AsyncIterable<Listed>, json: boolean | undefined): Promise<void> {
  const rows: Listed[] = [];
  for await (const session of found) {
    if (json) printJson(session);
    else if (rows.push(session) === MOST_ROWS) break;
  }
  if (json) return;
  if (rows.length === 0) return printLine('there is no session here yet');
  printTable(
    ['session', 'status', 'owner', 'started', 'ended', 'reason', 'version'],
    rows.map((session) => [
      session.sessionId,
      inWords(session),
      session.owner && [session.owner.environment, session.owner.instance].filter(Boolean).join(' / '),
      session.startedAt,
      session.endedAt,
      session.reason,
      session.versionId,
    ]),
  );
  if (rows.length === MOST_ROWS) printLine(`and perhaps more: these are ${MOST_ROWS}; --json gives all`);
}
