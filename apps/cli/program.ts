import { Command } from 'commander';
import { maskSecrets } from '#access/masking';
import { breakSilence } from './output.js';
import { version } from './version.js';

/** Each is loaded when it is called for: some bring the whole database along, which others never need. */
const commands: Record<string, () => Promise<() => Command>> = {
  // These ask the ledger.
  current: async () => (await import('./commands/current.js')).current,
  sessions: async () => (await import('./commands/sessions.js')).sessions,
  chain: async () => (await import('./commands/chain.js')).chain,
  history: async () => (await import('./commands/history.js')).history,
  tail: async () => (await import('./commands/tail.js')).tail,
  stats: async () => (await import('./commands/stats.js')).stats,
  start: async () => (await import('./commands/start.js')).start,
  release: async () => (await import('./commands/end.js')).release,
  end: async () => (await import('./commands/end.js')).end,
  bulk: async () => (await import('./commands/bulk.js')).bulk,
  keys: async () => (await import('./commands/keys.js')).keys,
  audit: async () => (await import('./commands/audit/index.js')).audit,
  // These do without it.
  replay: async () => (await import('./commands/replay.js')).replay,
  rebuild: async () => (await import('./commands/rebuild.js')).rebuildModels,
  verify: async () => (await import('./commands/verify.js')).verify,
  relay: async () => (await import('./commands/relay.js')).relay,
  archive: async () => (await import('./commands/archive.js')).archiveLog,
  'access-log': async () => (await import('./commands/access-log.js')).accessLog,
  migrate: async () => (await import('./commands/migrate.js')).migrateSchema,
  'handle-key': async () => (await import('./commands/handle-key.js')).handleKey,
};

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

/**
 * The command that is asked for by its name; all of them when none is, so that help lists them and a name that is mistyped
 * is found. Parsing rejects with CommanderError for a command line that is not right, and has said so.
 */
export async function program(asked?: string): Promise<Command> {
  const root = new Command('session-ledger')
    .description('Read and administer a Session Ledger.')
    .version(version)
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', exits + examples)
    .configureOutput(masked)
    .exitOverride();
  const all = Object.entries(commands);
  const found = all.filter(([name]) => name === asked);
  for (const [, load] of found.length > 0 ? found : all) {
    const command = await load();
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
