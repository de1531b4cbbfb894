import { Option } from 'commander';
import { EVENTS_TOPIC, type KafkaPort, kafkaSecurityOf, openKafka } from '#broker';
import { CommandFailed } from './exit.js';
import { local } from './options.js';

export const kafkaOption = () =>
  new Option('--kafka <brokers>', 'host:port of one broker or more, separated by commas');

/** The same where there is no doing without it. */
export const knownKafkaOption = () => {
  const option = kafkaOption().env('KAFKA_BROKERS');
  const brokers = local.kafkaBrokers?.join(',');
  return brokers ? option.default(brokers) : option.makeOptionMandatory();
};

export const topicOption = () =>
  new Option('--topic <name>', 'the topic of the events').env('LEDGER_TOPIC').default(EVENTS_TOPIC);

/** Asks Kafka, and closes what it opened. What Kafka's client says meanwhile is of no interest: its error is. */
export async function withKafka<T>(brokers: string, work: (kafka: KafkaPort) => Promise<T>): Promise<T> {
  const security = kafkaSecurityOf(process.env);
  const kafka = openKafka({
    ...{ brokers: brokers.split(',').map((one) => one.trim()), log: () => {} },
    ...security,
  });
  try {
    return await work(kafka);
  } catch (error) {
    if (!(error as { name?: string }).name?.startsWith('KafkaJS')) throw error;
    throw new CommandFailed(`Kafka cannot be used at ${brokers}: ${(error as Error).message}`);
  } finally {
    await kafka.close();
  }
}
