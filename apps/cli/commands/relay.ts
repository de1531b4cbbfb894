import { Command } from 'commander';
import { identify, listArchives, noteARestore } from '#log';
import { comparedTopic, type LedgerAndTopic } from '../compare-kafka.js';
import { databaseOption } from '../database-option.js';
import { CommandFailed } from '../exit.js';
import { jsonOption } from '../options.js';
import { printJson, printLine } from '../output.js';
import { withDatabase } from '../with-database.js';
import { knownKafkaOption, topicOption, withKafka } from '../with-kafka.js';

const examples = `
After a failover to a standby that lacked the last commits, or after a restore, Kafka has events that the log does not
have, and the relay stops so that it does not mix two histories. Restore the later state if you can. Otherwise this
command gives up the missing events: it records in the database that all followers have to start again, and deletes the
topic. A running relay creates it again and sends the whole log from its first event.
Without --yes it only prints what it would do. Needs the login that owns the database.

Examples:
  session-ledger relay accept-restore --database-url postgres://ledger_owner@db/ledger --kafka kafka:9092
  session-ledger relay accept-restore --yes
`;

export function relay(): Command {
  const accept = new Command('accept-restore')
    .description(
      'give up events that Kafka has and the log lost, and have the relay send the whole log again',
    )
    .addOption(databaseOption())
    .addOption(knownKafkaOption())
    .addOption(topicOption())
    .option('--yes', 'do it')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .exitOverride()
    .action(run);
  return new Command('relay').description('manage the mirror in Kafka').addCommand(accept);
}

interface Options extends LedgerAndTopic {
  yes?: true;
  json?: true;
}

async function run(asked: Options): Promise<void> {
  const { topic, yes, json } = asked;
  const faults = (await comparedTopic(asked)).flatMap(({ partition, faults }) =>
    faults.slice(0, 1).map((fault) => `partition ${partition}: ${fault}`),
  );
  await refuseWithArchives(asked.databaseUrl, topic);
  if (faults.length === 0) {
    if (json) printJson({ topic, accepted: false, faults });
    else printLine(`The topic ${topic} and the log agree: there is nothing to accept.`);
    return;
  }
  if (!yes) {
    if (json) printJson({ topic, accepted: false, faults });
    else {
      for (const fault of faults) printLine(fault);
      printLine(
        `With --yes the topic ${topic} is deleted with all that it holds, and made again from the log.`,
      );
    }
    return;
  }
  await withDatabase(asked.databaseUrl, (pool) => noteARestore(pool, topic));
  await withKafka(asked.kafka, (kafka) => kafka.deleteTopic(topic));
  if (json) printJson({ topic, accepted: true, faults });
  else
    printLine(
      `Accepted. The topic ${topic} is deleted; a relay makes it again. Let every consumer start anew.`,
    );
}

/** What is archived could not be sent again. */
async function refuseWithArchives(databaseUrl: string, topic: string): Promise<void> {
  const archived = await withDatabase(databaseUrl, async (pool) => {
    const { partitions } = await identify(pool);
    const each = Array.from({ length: partitions }, (_, partition) => listArchives(pool, partition, 0, 1));
    return (await Promise.all(each)).some((files) => files.length > 0);
  });
  if (!archived) return;
  throw new CommandFailed(
    `The log's first events are archived, so no relay could send them again. Restore the topic ${topic} from a copy.`,
  );
}
