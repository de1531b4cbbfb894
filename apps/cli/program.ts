import { Command } from 'commander';
import { maskSecrets } from '#access';
import { accessLog } from './commands/access-log.js';
import { archiveLog } from './commands/archive.js';
import { audit } from './commands/audit/index.js';
import { bulk } from './commands/bulk.js';
import { chain } from './commands/chain.js';
import { current } from './commands/current.js';
import { end, release } from './commands/end.js';
import { handleKey } from './commands/handle-key.js';
import { history } from './commands/history.js';
import { keys } from './commands/keys.js';
import { migrateSchema } from './commands/migrate.js';
import { rebuildModels } from './commands/rebuild.js';
import { relay } from './commands/relay.js';
import { replay } from './commands/replay.js';
import { sessions } from './commands/sessions.js';
import { start } from './commands/start.js';
import { stats } from './commands/stats.js';
import { tail } from './commands/tail.js';
import { verify } from './commands/verify.js';
import { breakSilence } from './output.js';
import { version } from './version.js';

const exits = `
Exit codes:
  0  done
  1  the ledger, its database or a file could not be used, or the request was refused
  2  the command line is wrong
  3  there is no such session
  4  verification found something unsound
`;

const examples = `
Examples:
  session-ledger current ada captions
  session-ledger history ada captions --json | jq .type
  session-ledger tail --follow
  session-ledger end ada captions --as cloud-dev --reason finished
  session-ledger verify

Beside npm start the commands find the ledger and its Postgres by themselves; elsewhere LEDGER_URL, DATABASE_URL and
KAFKA_BROKERS say where they are, or the options of each command.

From a checkout: npm run --silent session-ledger -- current ada captions
`;

/** An error quotes what was given, perhaps a connection string. */
const masked = { writeErr: (text: string) => void process.stderr.write(maskSecrets(text)) };

/** Whom a command waits for, without a password. */
function placeOf({ url, databaseUrl }: { url?: string; databaseUrl?: string }): string {
  if (url !== undefined) return url;
  return databaseUrl && URL.canParse(databaseUrl) ? `Postgres at ${new URL(databaseUrl).host}` : 'Postgres';
}

/** All commands. Parsing rejects with CommanderError for a command line that is not right, and has said so. */
export function program(): Command {
  const root = new Command('session-ledger')
    .description('Read and administer a Session Ledger.')
    .version(version)
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', exits + examples)
    .configureOutput(masked)
    .exitOverride();
  const online = [current, sessions, chain, history, tail, stats, start, release, end, bulk, keys, audit];
  const offline = [replay, rebuildModels, verify, relay, archiveLog, accessLog, migrateSchema, handleKey];
  for (const command of [...online, ...offline]) {
    const one = settled(command()).addHelpText('after', exits);
    one.hook('preAction', (_, action) => breakSilence(placeOf(action.opts())));
    root.addCommand(one);
  }
  return root;
}

/** As all commands are, its own included. */
function settled(command: Command): Command {
  for (const inner of command.commands) settled(inner);
  return command.configureOutput(masked).exitOverride().showHelpAfterError('(--help tells more)');
}
