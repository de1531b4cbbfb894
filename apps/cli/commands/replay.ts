import { createHash } from 'node:crypto';
import { Command } from 'commander';
import { databaseOption } from '../database-option.js';
import { archivesOption, jsonOption } from '../options.js';
import { printFields, printJson } from '../output.js';
import { verified } from './verify.js';

const examples = `
Folds every event from the first on, without reading any stored state, and prints the result. The digest covers the
states of all scopes: the same events give the same digest on any machine.

Examples:
  session-ledger replay --database-url postgres://ledger_service@db/ledger
  session-ledger replay --json | jq -r .state
`;

export function replay(): Command {
  return new Command('replay')
    .description('fold the whole log and print the result')
    .addOption(databaseOption())
    .addOption(archivesOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(({ databaseUrl, archives, json }) => run(databaseUrl, archives, json));
}

async function run(
  databaseUrl: string,
  archives: string | undefined,
  json: boolean | undefined,
): Promise<void> {
  const reports = await verified(databaseUrl, archives);
  const sum = (of: 'events' | 'scopes' | 'current') =>
    reports.reduce((total, report) => total + report[of], 0);
  const state = createHash('sha256');
  for (const report of reports) state.update(report.state);
  const whole = {
    events: sum('events'),
    scopes: sum('scopes'),
    current: sum('current'),
    state: state.digest('hex'),
  };
  if (json) printJson(whole);
  else printFields({ ...whole, current: `${whole.current} of the scopes have a current session` });
}
