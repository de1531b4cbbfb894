import { Command } from 'commander';
import { LedgerClient, type Owner } from '#client';
import { clientOptions } from '../client.js';
import { CommandFailed, exitCodes } from '../exit.js';
import { asOption, jsonOption, owner, reasonOption, urlOption, wholeNumber } from '../options.js';
import { currentOf, showAnswer } from '../show-session.js';

const notes = `
Reads the current session and its epoch first. If another session becomes current in the meantime, nothing happens. Only
the owner may do this: name it with --as, or use --force, which needs the operate permission.
`;

const endExamples = `${notes}
Examples:
  session-ledger end ada captions --as cloud-dev/worker-7 --reason finished
  session-ledger end ada captions --force --reason 'worker lost' --drain 30
`;

const releaseExamples = `${notes}
Examples:
  session-ledger release ada captions --as cloud-dev/worker-7
  session-ledger release ada captions --as cloud-dev --to cloud-debug --reserve 120
  session-ledger release ada captions --force
`;

interface Options {
  url: string;
  as?: Owner;
  force?: true;
  json?: true;
}

interface EndOptions extends Options {
  reason: string;
  drain?: number;
}

interface ReleaseOptions extends Options {
  to?: Owner;
  reserve?: number;
}

type Scope = { userId: string; projectId: string };

export function end(): Command {
  return acting('end', "end a user's current session")
    .addOption(reasonOption().makeOptionMandatory())
    .option('--drain <seconds>', 'let the owner finish, for at most this long', wholeNumber(1, 86_400))
    .addHelpText('after', endExamples)
    .action((userId, projectId, asked: EndOptions) => runEnd({ userId, projectId }, asked));
}

export function release(): Command {
  return acting('release', "give up ownership of a user's current session, which stays")
    .option('--to <environment/instance>', 'reserve it for this owner', owner)
    .option('--reserve <seconds>', 'how long only --to may claim it; 60 by default', wholeNumber(1, 86_400))
    .addHelpText('after', releaseExamples)
    .action((userId, projectId, asked: ReleaseOptions) => runRelease({ userId, projectId }, asked));
}

function acting(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<userId>')
    .argument('[projectId]', '', 'default')
    .addOption(asOption())
    .option('--force', 'even if it has another owner')
    .addOption(urlOption())
    .addOption(jsonOption());
}

async function runEnd(scope: Scope, asked: EndOptions): Promise<void> {
  const { ledger, session, who } = await meant(scope, asked);
  const { reason, drain, force, json } = asked;
  const body = {
    ...{ epoch: session.epoch, origin: who, reason },
    ...(drain && { drainSeconds: drain }),
    ...(force && { force }),
  };
  const params = { sessionId: session.sessionId };
  showAnswer(await ledger.call('endSession', { params, body }, { deadlineMs: 10_000 }), json);
}

async function runRelease(scope: Scope, asked: ReleaseOptions): Promise<void> {
  const { ledger, session, who } = await meant(scope, asked);
  const { to, reserve, force, json } = asked;
  const body = {
    ...{ epoch: session.epoch, owner: who },
    ...(to && { to }),
    ...(reserve && { reservedSeconds: reserve }),
    ...(force && { force }),
  };
  const params = { sessionId: session.sessionId };
  showAnswer(await ledger.call('releaseOwnership', { params, body }, { deadlineMs: 10_000 }), json);
}

/** The session that is current, and as whom it is asked for. */
async function meant(scope: Scope, { url, as, force }: Options) {
  if (!as && !force) throw new CommandFailed('name the owner with --as, or use --force', exitCodes.usage);
  const ledger = new LedgerClient(clientOptions(url));
  const session = await currentOf(ledger, scope);
  return { ledger, session, who: as ?? { environment: 'command-line' } };
}
