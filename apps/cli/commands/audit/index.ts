import { Command } from 'commander';
import { keygen } from './keygen.js';
import { report } from './report.js';
import { verify } from './verify.js';
import { watch } from './watch.js';

const examples = `
Examples:
  session-ledger audit keygen -o audit.key
  session-ledger audit verify proof.tlog-proof --event event.json --key ledger.vkey
  session-ledger audit verify --checkpoint kept.txt --key ledger.vkey
  session-ledger audit watch --dir checkpoints --key ledger.vkey
  session-ledger audit report --user ada --project captions -o report.json
  session-ledger audit verify report.json --key ledger.vkey

docs/audit.md says what is proven by this, and what is not.
`;

export function audit(): Command {
  return new Command('audit')
    .description('prove that the log is complete, and verify it without trusting the ledger')
    .addCommand(keygen())
    .addCommand(verify())
    .addCommand(watch())
    .addCommand(report())
    .addHelpText('after', examples);
}
