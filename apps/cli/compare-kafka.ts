import { compareTopic, type KafkaPort, type TopicReport } from '#broker';
import { identify, Tail } from '#log';
import { CommandFailed } from './exit.js';
import { progress } from './output.js';
import { withDatabase } from './with-database.js';
import { withKafka } from './with-kafka.js';

/** Where a ledger and its topic are. */
export interface LedgerAndTopic {
  databaseUrl: string;
  kafka: string;
  topic: string;
}

/** Every partition's report, with a progress bar meanwhile. */
export function comparedTopic({
  databaseUrl,
  kafka: brokers,
  topic,
}: LedgerAndTopic): Promise<TopicReport[]> {
  const compare = async (pool: Parameters<typeof identify>[0]) => {
    const { partitions } = await identify(pool);
    const feed = new Tail({ pool, partitions, pollMs: 60_000, onFault: () => {} });
    await feed.start(); // it has to know the heads to tell what is archived from what is missing
    const work = async (kafka: KafkaPort) => {
      if (!(await kafka.topicShape(topic))) throw new CommandFailed(`Kafka has no topic ${topic}`);
      const bar = progress('reading');
      const reports: TopicReport[] = [];
      try {
        const options = { kafka, topic, feed, heads: feed.heads(), onProgress: bar.at };
        for await (const report of compareTopic(options)) reports.push(report);
      } finally {
        bar.stop();
      }
      return reports;
    };
    return withKafka(brokers, work).finally(() => feed.close());
  };
  return withDatabase(databaseUrl, compare);
}

export function faultsOf(reports: readonly TopicReport[]): number {
  return reports.reduce((sum, { faults, moreFaults }) => sum + faults.length + moreFaults, 0);
}
