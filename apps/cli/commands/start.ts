import { Command, Option } from 'commander';
import { LedgerClient, type Owner, type StartRequest } from '#client';
import { LONGEST_SECONDS } from '#session';
import { clientOptions } from '../client.js';
import { asOption, jsonOption, urlOption, wholeNumber } from '../options.js';
import { showAnswer } from '../show-session.js';

const examples = `
Examples:
  session-ledger start ada captions --as cloud-dev/worker-7
  session-ledger start ada captions --as cloud-dev --on-conflict reject
  session-ledger start ada captions --as cloud-dev --lease 60
`;

interface Options {
  url: string;
  as: Owner;
  onConflict?: NonNullable<StartRequest['onConflict']>;
  lease?: number;
  json?: true;
}

export function start(): Command {
  return new Command('start')
    .description('start a session; the current one, if there is one, ends or is joined')
    .argument('<userId>')
    .argument('[projectId]', '', 'default')
    .addOption(asOption().makeOptionMandatory())
    .addOption(
      new Option('--on-conflict <what>', 'what to do if a session is current; supersede by default').choices([
        'supersede',
        'reject',
        'join',
      ]),
    )
    .option(
      '--lease <seconds>',
      'seconds without a renewal after which ownership lapses',
      wholeNumber(1, LONGEST_SECONDS),
    )
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((userId, projectId, asked: Options) => run({ userId, projectId }, asked));
}

async function run(scope: { userId: string; projectId: string }, asked: Options): Promise<void> {
  const { url, as, onConflict, lease, json } = asked;
  const answer = await new LedgerClient(clientOptions(url)).call(
    'startSession',
    {
      body: {
        ...scope,
        owner: as,
        ...(onConflict && { onConflict }),
        ...(lease && { lease: { seconds: lease } }),
      },
    },
    { deadlineMs: 10_000 },
  );
  showAnswer(answer, json);
}
