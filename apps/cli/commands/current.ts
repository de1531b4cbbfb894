import { Command } from 'commander';
import { LedgerClient } from '#client';
import { clientOptions } from '../client.js';
import { asOf, jsonOption, urlOption } from '../options.js';
import { printFields, printJson } from '../output.js';
import { currentOf, fieldsOf } from '../show-session.js';

const examples = `
Examples:
  session-ledger current ada captions
  session-ledger current ada captions --as-of 2026-11-01T12:00:00Z
  session-ledger current ada captions --json | jq -r .owner.environment
`;

export function current(): Command {
  return new Command('current')
    .description('the current session of a user and a project')
    .argument('<userId>')
    .argument('[projectId]', '', 'default')
    .option('--as-of <time or position>', 'what was current then: RFC 3339, or partition:sequence', asOf)
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(async (userId, projectId, { url, json, asOf: then }) => {
      const scope = { userId, projectId, ...(then && { asOf: then }) };
      const session = await currentOf(new LedgerClient(clientOptions(url)), scope);
      if (json) printJson(session);
      else printFields(fieldsOf(session));
    });
}
