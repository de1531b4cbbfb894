import { Command } from 'commander';
import { type PartitionReport, verifyLog } from '#archive';
import { identify } from '#log';
import { type Difference, type VerifyProgress, verifyProjections } from '#projections';
import { verifyTiles } from '#proofs';
import { comparedTopic, faultsOf, type LedgerAndTopic } from '../compare-kafka.js';
import { databaseOption } from '../database-option.js';
import { CommandFailed, exitCodes } from '../exit.js';
import { archivesOption, jsonOption } from '../options.js';
import { alarming, printJson, printLine, printTable, progress } from '../output.js';
import { withDatabase } from '../with-database.js';
import { kafkaOption, topicOption } from '../with-kafka.js';

const examples = `
Reads every event in one pass and checks that numbers have no gaps, that times never go back, the tree over the bytes
and its tiles, and the state of every scope. It writes nothing, and the service can keep running. The exit code is 4 if
something is wrong.
With --projections it compares the read models instead, row by row, with what the log folds to.
With --kafka it compares the topic instead, record by record: it must have each event, in order and byte for byte.
If events have been archived, all of these need the files: --archives.

Examples:
  session-ledger verify --database-url postgres://ledger_service@db/ledger
  session-ledger verify --json | jq 'select(.faults != [])'
  session-ledger verify --archives /mnt/archives
  session-ledger verify --projections --archives /mnt/archives
  session-ledger verify --kafka kafka:9092
`;

export function verify(): Command {
  return new Command('verify')
    .description('fold the whole log again and compare it with its trees and states')
    .addOption(databaseOption())
    .addOption(archivesOption())
    .option('--projections', 'compare the read models instead')
    .addOption(kafkaOption().conflicts('projections'))
    .addOption(topicOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(({ databaseUrl, archives, projections, kafka, topic, json }) => {
      if (kafka) return compareKafka({ databaseUrl, kafka, topic }, json);
      return projections ? compare(databaseUrl, archives, json) : run(databaseUrl, archives, json);
    });
}

async function compareKafka(asked: LedgerAndTopic, json: boolean | undefined): Promise<void> {
  const reports = await comparedTopic(asked);
  if (json) for (const report of reports) printJson(report);
  else {
    const head = ['partition', 'records', 'last event', 'behind', 'unchecked', ''];
    printTable(
      head,
      reports.map(({ partition, records, last, behind, unchecked, faults }) => {
        const verdict = faults.length > 0 ? alarming('unsound') : 'sound';
        return [partition, records, last, behind, unchecked, verdict];
      }),
    );
    tellFaults(reports);
  }
  const faults = faultsOf(reports);
  if (faults > 0)
    throw new CommandFailed(`${faults} faults: the topic does not match the log`, exitCodes.unsound);
}

async function run(
  databaseUrl: string,
  archives: string | undefined,
  json: boolean | undefined,
): Promise<void> {
  const reports = await verified(databaseUrl, archives);
  if (json) for (const report of reports) printJson(report);
  else show(reports);
  const faults = reports.reduce((sum, report) => sum + report.faults.length + report.moreFaults, 0);
  if (faults > 0) throw new CommandFailed(`${faults} faults: the log is not sound`, exitCodes.unsound);
}

/** Every partition's report, with a progress bar meanwhile. */
export async function verified(databaseUrl: string, archives?: string): Promise<PartitionReport[]> {
  return withDatabase(databaseUrl, async (pool) => {
    await identify(pool);
    const bar = progress('reading');
    const reports: PartitionReport[] = [];
    try {
      for await (const report of verifyLog(pool, bar.at, archives)) {
        for await (const fault of verifyTiles(pool, report.partition)) {
          if (report.faults.length < MOST_LINES) report.faults.push(fault);
          else report.moreFaults += 1;
        }
        reports.push(report);
      }
    } finally {
      bar.stop();
    }
    return reports;
  });
}

function show(reports: readonly PartitionReport[]): void {
  printTable(
    ['partition', 'events', 'scopes', 'current', 'root', ''],
    reports.map((report) => [
      report.partition,
      report.events,
      report.scopes,
      report.current,
      report.root.slice(0, 16),
      report.faults.length > 0 ? alarming('unsound') : 'sound',
    ]),
  );
  tellFaults(reports);
}

function tellFaults(reports: readonly Pick<PartitionReport, 'partition' | 'faults' | 'moreFaults'>[]): void {
  for (const { partition, faults, moreFaults } of reports) {
    for (const fault of faults) printLine(`partition ${partition}: ${fault}`);
    if (moreFaults > 0) printLine(`partition ${partition}: and ${moreFaults} more`);
  }
}

/** The most differences that are told to people. */
const MOST_LINES = 100;

/** How long all rows of a partition may take to be sorted, in milliseconds. */
const LONGEST_SORT = 600_000;

async function compare(
  databaseUrl: string,
  archives: string | undefined,
  json: boolean | undefined,
): Promise<void> {
  let found = 0;
  const tell = (difference: Difference) => {
    const { model, kind, partition, sequence, sessionId } = difference;
    found += 1;
    if (json) printJson(difference);
    else if (found <= MOST_LINES) {
      printLine(`${kind} row of ${model}: session ${sessionId}, event ${partition}:${sequence}`);
    }
  };
  const work = async (pool: Parameters<typeof identify>[0]) => {
    await identify(pool);
    const bar = progress('comparing');
    const onProgress = ({ events, total }: VerifyProgress) => bar.at(events, total);
    return verifyProjections({ pool, archives, onProgress, onDifference: tell }).finally(bar.stop);
  };
  const compared = await withDatabase(databaseUrl, work, { statementMs: LONGEST_SORT });
  if (json) printJson({ ...compared, differences: found });
  else printLine(`${compared.events} events and ${compared.rows} rows compared`);
  if (found > 0) throw new CommandFailed(`${found} differences: rebuild the read models`, exitCodes.unsound);
}
