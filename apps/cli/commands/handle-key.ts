import { Command } from 'commander';
import { identify, makeHandleKey, moveHandleKey } from '#log';
import { databaseOption } from '../database-option.js';
import { printLine } from '../output.js';
import { withDatabase } from '../with-database.js';

const examples = `
Handles are stored as hashes by a key. It is in the database, or in a file that LEDGER_HANDLE_KEY_FILE names, for its
owner alone. Keep a copy of the file: a ledger whose key is lost does not start, and finds no handle any more.

Examples:
  session-ledger handle-key make -o handle.key      then LEDGER_HANDLE_KEY_FILE=handle.key session-ledger migrate
  session-ledger handle-key move -o handle.key --database-url postgres://ledger_owner@db/ledger
`;

export function handleKey(): Command {
  const root = new Command('handle-key')
    .description('keep the key that hashes handles out of the database')
    .addHelpText('after', examples);
  const command = (name: string, description: string) =>
    root
      .command(name)
      .description(description)
      .requiredOption('-o, --output <file>', 'where it goes; nobody but its owner may read it');
  command('make', 'make a key for a ledger that is made later').action(({ output }) => {
    makeHandleKey(output);
    printLine(`${output} holds a new key: set LEDGER_HANDLE_KEY_FILE for migrate and for every replica`);
  });
  command('move', "move an existing ledger's key into a file, with the login that owns the database")
    .addOption(databaseOption())
    .action(({ output, databaseUrl }) => move(output, databaseUrl));
  return root;
}

async function move(file: string, url: string): Promise<void> {
  await withDatabase(url, identify);
  const done = await moveHandleKey(url, file);
  printLine(
    done === 'moved'
      ? `the key is in ${file}, and no longer in the database: set LEDGER_HANDLE_KEY_FILE before a replica starts again`
      : `the key is in ${file} already`,
  );
}
