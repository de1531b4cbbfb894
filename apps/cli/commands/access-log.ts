import { Command } from 'commander';
import { type LoggedAccess, readAccessLog } from '#access';
import { databaseOption } from '../database-option.js';
import { jsonOption, timeOption, wholeNumber } from '../options.js';
import { printJson, printLine, printTable } from '../output.js';
import { withDatabase } from '../with-database.js';

const examples = `
The access log has created, rotated and revoked keys; invalid credentials, counted by the minute; requests that were
refused because a permission was missing; forced commands, bulk jobs and erasures; and reads of data of all tenants.
It is kept for 400 days.

Examples:
  session-ledger access-log --since 24h
  session-ledger access-log --principal operator --json | jq -r .operation
`;

export function accessLog(): Command {
  return new Command('access-log')
    .description('who asked for what, the newest first')
    .addOption(timeOption('--since <time>', 'such as 30d, 24h or 30m', '7d'))
    .option('--principal <name>', 'show only this principal')
    .option('-n, --lines <n>', 'at most this many, 1 to 10000', wholeNumber(1, 10_000), 100)
    .addOption(databaseOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(run);
}

interface Options {
  since: number;
  principal?: string;
  lines: number;
  databaseUrl: string;
  json?: true;
}

async function run({ since, principal, lines, databaseUrl, json }: Options): Promise<void> {
  const asked = { since: new Date(Date.now() - since * 1_000), principal, limit: lines };
  const rows = await withDatabase(databaseUrl, (pool) => readAccessLog(pool, asked));
  if (json) {
    for (const row of rows) printJson(row);
  } else if (rows.length === 0) printLine('there are no entries in this time');
  else
    printTable(
      ['time', 'operation', 'status', 'times', 'principal', 'tenant', 'credential', 'address'],
      rows.map(cellsOf),
    );
}

function cellsOf({ at, operation, status, count, principal, tenant, credential, address }: LoggedAccess) {
  return [at.toISOString(), operation, status, count, principal, tenant, credential, address];
}
