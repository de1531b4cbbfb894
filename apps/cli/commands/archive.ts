import { Command, InvalidArgumentError } from 'commander';
import { ArchiveError, type ArchiveSummary, archive, parseAge } from '#archive';
import { identify } from '#log';
import { projectedUpTo } from '#projections';
import { databaseOption } from '../database-option.js';
import { jsonOption } from '../options.js';
import { printFields, printJson, progress } from '../output.js';
import { withDatabase } from '../with-database.js';

const examples = `
Moves the oldest events of each partition to files, and deletes them only after their file was read back and recorded.
Current sessions never depend on them. If it is interrupted, nothing is lost: run it again. Keep the files: audits and
rebuilds read them.

Examples:
  session-ledger archive --older-than 30d --to /mnt/archives --database-url postgres://ledger_archivist@db/ledger
  session-ledger archive --older-than 12w --to /mnt/archives --json
`;

export function archiveLog(): Command {
  return new Command('archive')
    .description('move old events to compressed files, with their proofs')
    .requiredOption('--older-than <age>', 'hours, days or weeks: 96h, 30d, 12w; at least three days', age)
    .requiredOption('--to <dir>', 'an existing directory')
    .option('--without-relay', 'archive even though this ledger does not use Kafka and never will')
    .addOption(databaseOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(run);
}

interface Options {
  /** Seconds. */
  olderThan: number;
  to: string;
  withoutRelay?: true;
  databaseUrl: string;
  json?: true;
}

async function run({ olderThan, to, withoutRelay, databaseUrl: url, json }: Options): Promise<void> {
  const projected = await withDatabase(url, async (pool) => {
    await identify(pool);
    return projectedUpTo(pool);
  });
  const bar = progress('archiving');
  const summary = await archive({
    url,
    olderThan,
    to,
    withoutRelay,
    notAfter: async (partition) => projected.get(partition),
    onProgress: ({ read, toRead }) => bar.at(read, toRead),
  }).finally(bar.stop);
  if (json) printJson(summary);
  else printFields(inWords(summary));
}

function age(text: string): number {
  try {
    return parseAge(text);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new InvalidArgumentError(
      'It has to be hours, days or weeks, such as 96h, 30d or 12w; at most 100 years.',
    );
  }
}

function inWords({ files, events, eventBytes, fileBytes, deleted }: ArchiveSummary) {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  return {
    files,
    events: `${events}, ${megabytes(eventBytes)}`,
    written: megabytes(fileBytes),
    deleted: `${deleted} from the table`,
  };
}
