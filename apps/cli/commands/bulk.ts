import { createInterface } from 'node:readline/promises';
import { Command, Option } from 'commander';
import { type AnswerOf, LedgerClient } from '#client';
import { clientOptions } from '../client.js';
import { CommandFailed, exitCodes } from '../exit.js';
import { jsonOption, reasonOption, urlOption } from '../options.js';
import { printFields, printJson, progress } from '../output.js';

const examples = `
Needs the operate permission. The job continues if this command is interrupted; --job shows its progress.

Examples:
  session-ledger bulk --action end --environment cloud-7 --reason 'cloud-7 is gone'
  session-ledger bulk --action release --user ada --reason moved --yes
  session-ledger bulk --job 0192f0c1-2b3c-7d4e-8f50-123456789abc
`;

type Job = AnswerOf<'bulkJob'>;

interface Options {
  url: string;
  action?: 'end' | 'release';
  user?: string;
  environment?: string;
  instance?: string;
  reason?: string;
  job?: string;
  yes?: true;
  json?: true;
}

export function bulk(): Command {
  return new Command('bulk')
    .description('end or release all current sessions of a user or of an environment')
    .addOption(new Option('--action <what>', 'what to do with the sessions').choices(['end', 'release']))
    .option('--user <id>', 'sessions of this user')
    .option('--environment <name>', 'sessions that this environment owns')
    .option('--instance <name>', 'only this instance of the environment')
    .addOption(reasonOption())
    .option('--job <id>', 'only show the progress of a job')
    .option('--yes', 'do not ask for confirmation')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(run);
}

async function run(asked: Options): Promise<void> {
  const ledger = new LedgerClient(clientOptions(asked.url));
  const job = await ended(ledger, asked.job ?? (await ordered(ledger, asked)).jobId);
  if (asked.json) printJson(job);
  else printFields({ job: job.jobId, ...job.counts });
  if (job.counts.failed > 0)
    throw new CommandFailed(
      `${job.counts.failed} ${job.counts.failed === 1 ? 'session' : 'sessions'} could not be changed`,
    );
}

async function ordered(ledger: LedgerClient, asked: Options): Promise<Job> {
  const { action, user, environment, instance, reason, yes } = asked;
  if (!action || !reason || !(user || environment))
    throw new CommandFailed('give --action, --reason, and --user or --environment', exitCodes.usage);
  const select = {
    ...(user && { userId: user }),
    ...(environment && { environment }),
    ...(instance && { instance }),
  };
  const whose = [user && `of ${user}`, environment && `owned by ${environment}`, instance].filter(Boolean);
  if (!yes && !(await agreed(`${action} all current sessions ${whose.join(' ')}?`)))
    throw new CommandFailed('nothing was done');
  return ledger.call('startBulk', { body: { select, action, reason } }, { deadlineMs: 10_000 });
}

async function agreed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new CommandFailed('add --yes: there is no terminal to ask for confirmation', exitCodes.usage);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} (y/N) `)).trim());
  } finally {
    terminal.close();
  }
}

/** The job when it has ended, with a progress bar until then. */
async function ended(ledger: LedgerClient, jobId: string): Promise<Job> {
  const bar = progress('partitions');
  try {
    for (;;) {
      const job = await ledger.call('bulkJob', { params: { jobId }, query: { wait: 1 } });
      bar.at(job.partitions.done, job.partitions.of);
      if (job.state === 'finished') return job;
    }
  } finally {
    bar.stop();
  }
}
