import { Command } from 'commander';
import { LedgerClient, type LedgerEvent, type ScopeName } from '#client';
import { clientOptions } from '../client.js';
import { eventRow, eventTitles } from '../event-row.js';
import { jsonOption, urlOption } from '../options.js';
import { printJson, printLine, printTable, strong } from '../output.js';

const examples = `
Examples:
  session-ledger history ada captions
  session-ledger history ada captions --json | jq -r '[.time, .type] | @tsv'
`;

/** As a table at most so many; more are for programs. */
const MOST_ROWS = 10_000;

export function history(): Command {
  return new Command('history')
    .description("everything that has happened in a user's project, refused stops included")
    .argument('<userId>')
    .argument('[projectId]', '', 'default')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((userId, projectId, { url, json }) =>
      run(new LedgerClient(clientOptions(url)), { userId, projectId }, json),
    );
}

async function run(ledger: LedgerClient, scope: ScopeName, json: boolean | undefined): Promise<void> {
  const rows: LedgerEvent[] = [];
  for await (const event of ledger.history(scope)) {
    if (json) printJson(event);
    else if (rows.push(event) === MOST_ROWS) break;
  }
  if (json) return;
  const place = `user ${scope.userId}, project ${scope.projectId}`;
  if (rows.length === 0) return printLine(`${place}: nothing has happened here yet`);
  printLine(`${strong(place)}, until ${rows.at(-1)?.time}`);
  printTable(eventTitles, rows.map(eventRow));
  if (rows.length === MOST_ROWS)
    printLine(`and perhaps more: these are the first ${MOST_ROWS}; --json gives all`);
}
