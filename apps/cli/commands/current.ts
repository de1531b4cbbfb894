import { Command } from 'commander';
import { isProblem, LedgerClient, type Session } from '#client';
import { clientOptions } from '../client.js';
import { CommandFailed, exitCodes } from '../exit.js';
import { jsonOption, urlOption } from '../options.js';
import { printFields, printJson } from '../output.js';

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
    .option('--as-of <time or position>', 'what was current then: RFC 3339, or partition:sequence')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((userId, projectId, { url, json, asOf }) =>
      run(new LedgerClient(clientOptions(url)), { userId, projectId, ...(asOf && { asOf }) }, json),
    );
}

async function run(
  ledger: LedgerClient,
  scope: { userId: string; projectId: string; asOf?: string },
  json: boolean | undefined,
): Promise<void> {
  try {
    const session = await ledger.call('currentSession', { query: scope }, { deadlineMs: 10_000 });
    if (!session) throw new CommandFailed('the ledger answered without a session');
    if (json) printJson(session);
    else printFields(fieldsOf(session));
  } catch (error) {
    if (!isProblem(error, 'no-current-session')) throw error;
    const last = error.last?.endedAt
      ? `; the last one ended at ${error.last.endedAt}, ${error.last.endCause}`
      : '';
    throw new CommandFailed(`no session is current${last}`, exitCodes.notFound);
  }
}

function fieldsOf(session: Session): Record<string, string | number | undefined> {
  const { owner, lease, attributes } = session;
  return {
    session: session.sessionId,
    status: session.status,
    owner: owner && [owner.environment, owner.instance].filter(Boolean).join(' / '),
    epoch: session.epoch,
    revision: session.revision,
    started: session.startedAt,
    'reserved for':
      session.reservedFor && `${session.reservedFor.environment} until ${session.reservedUntil}`,
    lease: lease && `${lease.seconds} s, renewed on ${lease.renewOn}`,
    chain: `${session.chainLength}. from ${session.rootId}`,
    reason: session.reason,
    version: session.versionId,
    attributes: attributes === 'erased' ? attributes : JSON.stringify(attributes),
  };
}
