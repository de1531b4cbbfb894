import { join } from 'node:path';
import { startKafka, startPostgres } from '#dev-stack';
import type { Config } from './config.js';
import type { Places } from './ledger.js';

/** What the service runs on, and how to end what was started for it. */
export interface Stack extends Places {
  stop(): Promise<void>;
}

/**
 * Postgres and Kafka: those that are configured, or this machine's own, started here. Throws DevStackError
 * with a line for the user; nothing is left running then.
 */
export async function startStack(config: Config, say: (line: string) => void): Promise<Stack> {
  const results = await Promise.allSettled([postgres(config, say), kafka(config, say)]);
  const parts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async () => {
    await Promise.all(parts.map((part) => part.stop()));
  };
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const [database, brokers] = parts as [Started, Started];
  return { databaseUrl: database.places[0] ?? '', kafkaBrokers: brokers.places, stop };
}

interface Started {
  places: readonly string[];
  stop(): Promise<void>;
}

const elsewhere = async () => {};

async function postgres(config: Config, say: (line: string) => void): Promise<Started> {
  if (config.databaseUrl !== undefined) return { places: [config.databaseUrl], stop: elsewhere };
  const { dataDir, postgresPort: port } = config;
  const { url, stop } = await startPostgres({ dataDir: join(dataDir, 'postgres'), port, log: say });
  return { places: [url], stop };
}

async function kafka(config: Config, say: (line: string) => void): Promise<Started> {
  if (config.kafkaBrokers !== undefined) return { places: config.kafkaBrokers, stop: elsewhere };
  const { dataDir, kafkaPort: port, kafkaCacheDir: cacheDir } = config;
  const running = await startKafka({ dataDir: join(dataDir, 'kafka'), port, cacheDir, log: say });
  if (!running) return { places: [], stop: elsewhere };
  return { places: running.brokers, stop: () => running.stop() };
}
