import { Command, Option } from 'commander';
import { identify, migrate, readHandleKey } from '#log';
import { databaseOption } from '../database-option.js';
import { jsonOption, wholeNumber } from '../options.js';
import { printJson, printLine } from '../output.js';
import { withDatabase } from '../with-database.js';

const examples = `
Needs the login that owns the database. Migrations are numbered and only go forward. If another one is running, this
waits for at most ten seconds. Run it before a new version of the service starts.

Examples:
  session-ledger migrate --database-url postgres://ledger_owner@db/ledger
  session-ledger migrate --service-login ledger_service      for a service whose login does not own the database
  LEDGER_HANDLE_KEY_FILE=handle.key session-ledger migrate      for a ledger whose handle key is in a file
  session-ledger migrate --partitions 64      for a new ledger; an existing one keeps its number
`;

export function migrateSchema(): Command {
  return new Command('migrate')
    .description('migrate the database to the schema of this version')
    .addOption(databaseOption())
    .addOption(
      new Option(
        '--partitions <n>',
        'number of partitions of a new ledger, 1 to 4096; 16 by default',
      ).argParser(wholeNumber(1, 4_096)),
    )
    .addOption(
      new Option(
        '--handle-key-file <file>',
        'the key that hashes handles; in the database when left out',
      ).env('LEDGER_HANDLE_KEY_FILE'),
    )
    .option('--service-login <login>', 'grant this login the role of the service')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(run);
}

interface Options {
  databaseUrl: string;
  partitions?: number;
  serviceLogin?: string;
  handleKeyFile?: string;
  json?: true;
}

async function run({ databaseUrl: url, partitions: asked, json, ...more }: Options): Promise<void> {
  const handleKeyFile = more.handleKeyFile || undefined;
  const applied = await migrate({ url, partitions: asked ?? 16, ...more, handleKeyFile });
  const { partitions } = await withDatabase(url, async (pool) => {
    const identity = await identify(pool);
    // Now rather than when the service starts.
    if (handleKeyFile !== undefined) await readHandleKey(pool, identity, handleKeyFile);
    return identity;
  });
  if (json) return printJson({ applied, partitions });
  printLine(applied.length > 0 ? `applied ${applied.join(', ')}` : 'the schema is up to date');
  if (asked !== undefined && asked !== partitions)
    printLine(
      `--partitions ${asked} has no effect: this ledger was created with ${partitions} partitions, and that cannot be changed`,
    );
}
