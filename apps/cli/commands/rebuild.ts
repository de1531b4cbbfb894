import { Command } from 'commander';
import { identify, roleOf } from '#log';
import { rebuild } from '#projections';
import { archivesOption, databaseOption, jsonOption } from '../options.js';
import { printJson, printLine, progress } from '../output.js';
import { withDatabase } from '../with-database.js';

const examples = `
Builds all read models anew from the log, beside the live ones, and swaps at the end: readers notice nothing. Interrupted at
any time it leaves the live ones as they are, and can be started again.

Examples:
  session-ledger rebuild --database-url postgres://ledger_service@db/ledger
  session-ledger rebuild --archives /mnt/archives
`;

export function rebuildModels(): Command {
  return new Command('rebuild')
    .description('build the read models anew, beside the live ones')
    .addOption(databaseOption())
    .addOption(archivesOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(run);
}

interface Asked {
  databaseUrl: string;
  archives?: string;
  json?: true;
}

async function run({ databaseUrl, archives, json }: Asked): Promise<void> {
  await withDatabase(databaseUrl, identify);
  const role = await roleOf({ url: databaseUrl }, 'service');
  const bar = progress('folding');
  const rebuilt = await rebuild({
    database: { url: databaseUrl, role },
    archives,
    onProgress: ({ events, total }) => bar.at(events, total),
  }).finally(bar.stop);
  if (json) printJson(rebuilt);
  else printLine(`generation ${rebuilt.generation} is live, of ${rebuilt.events} events`);
}
