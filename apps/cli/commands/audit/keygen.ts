import { Command } from 'commander';
import { LedgerClient } from '#client';
import { makeKeyFile } from '#proofs';
import { clientOptions } from '../../client.js';
import { CommandFailed, exitCodes } from '../../exit.js';
import { jsonOption, urlOption } from '../../options.js';
import { printFields, printJson } from '../../output.js';

const examples = `
Only the ledger may have the file: set LEDGER_AUDIT_KEY_FILE to it. The key that is printed is public: give it to those
who verify. To change keys, name both files, the new one first, until everyone has the new key.

Examples:
  session-ledger audit keygen -o audit.key
  session-ledger audit keygen --origin ledger.example.com -o /etc/session-ledger/audit.key
`;

export function keygen(): Command {
  return new Command('keygen')
    .description('create a key that signs checkpoints')
    .requiredOption('-o, --output <file>', 'the file to write; only its owner can read it')
    .option(
      '--origin <name>',
      "the ledger's name in what it signs, as LEDGER_ORIGIN; that of the running ledger when left out",
    )
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(({ output, origin, url, json }) => run(output, origin, url, json));
}

async function run(file: string, given: string | undefined, url: string, json?: boolean): Promise<void> {
  if (given !== undefined && !/^[^\s+/][^\s+]{0,199}$/.test(given))
    throw new CommandFailed('--origin has to be 1 to 200 characters without spaces and +', exitCodes.usage);
  const origin = given ?? (await originOf(url));
  const { verifierKey } = makeKeyFile(file, origin);
  if (json) printJson({ file, origin, key: verifierKey });
  else printFields({ 'signing key': file, 'verifier key': verifierKey });
}

async function originOf(url: string): Promise<string> {
  const { origin } = await new LedgerClient(clientOptions(url)).call('auditKeys', {}, { deadlineMs: 10_000 });
  return origin;
}
