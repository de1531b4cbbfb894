import { Command } from 'commander';
import { identify, readHeads, roleOf } from '#log';
import { rebuild } from '#projections';
import { rebuildTiles } from '#proofs';
import { databaseOption } from '../database-option.js';
import { archivesOption, jsonOption } from '../options.js';
import { printJson, printLine, progress } from '../output.js';
import { withDatabase } from '../with-database.js';

const examples = `
Builds new read models from the log beside the live ones and swaps them at the end, so readers are not affected. If it is
interrupted, the live ones stay as they are, and you can start it again.

Examples:
  session-ledger rebuild --database-url postgres://ledger_service@db/ledger
  session-ledger rebuild --archives /mnt/archives
  session-ledger rebuild --tiles

With --tiles it rebuilds the tiles of the trees instead, which proofs are made from. This needs no archives.
`;

export function rebuildModels(): Command {
  return new Command('rebuild')
    .description('rebuild the read models beside the live ones')
    .addOption(databaseOption())
    .addOption(archivesOption())
    .option('--tiles', 'rebuild the tiles of the trees instead')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(run);
}

interface Options {
  databaseUrl: string;
  archives?: string;
  tiles?: true;
  json?: true;
}

async function run({ databaseUrl, archives, tiles, json }: Options): Promise<void> {
  if (tiles) return runTiles(databaseUrl, json);
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

async function runTiles(databaseUrl: string, json: true | undefined): Promise<void> {
  await withDatabase(databaseUrl, identify);
  const archivist = await roleOf({ url: databaseUrl }, 'archivist');
  await withDatabase(databaseUrl, async (pool) => {
    const heads = await readHeads(pool);
    const total = heads.reduce((sum, { sequence }) => sum + sequence, 0);
    const bar = progress('hashing');
    let tiles = 0;
    for (const { partition, sequence } of heads) {
      await rebuildTiles(pool, archivist, { partition, size: sequence }, (made) => {
        tiles += made;
        bar.at(Math.min(total, tiles * 256), total);
      });
    }
    bar.stop();
    if (json) printJson({ tiles });
    else printLine(`${tiles} tiles were made, of ${total} events`);
  });
}
