import { join } from 'node:path';
import { beginKafka, type DevStackError, startPostgres } from '#dev-stack';
import { awaitDatabase } from '#postgres';
import type { Config } from './config.js';
import type { Addresses } from './replica.js';

/** What the service runs on, and how to end what was started for it. */
export interface Stack extends Addresses {
  stop(): Promise<void>;
}

/** Whom it tells what. */
export interface StackEvents {
  say(line: string): void;
  /** One of those that were started here has ended and is not started again. */
  onLost(error: DevStackError): void;
  /** Ends the wait for a Postgres that is away. */
  leaving: AbortSignal;
}

/**
 * Postgres and Kafka: those that are configured, or this machine's own, started here. Waits for a configured
 * Postgres that is away, and does not wait until this machine's own Kafka is up. Throws DevStackError or PostgresAway with a line for the user, or what Postgres refuses it with;
 * nothing is left running then.
 */
export async function startStack(config: Config, events: StackEvents): Promise<Stack> {
  const results = await Promise.allSettled([postgres(config, events), kafka(config, events)]);
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
  return { databaseUrl: database.places[0] ?? '', kafkaBrokers: brokers.places, kafkaUp: brokers.up, stop };
}

interface Started {
  places: readonly string[];
  /** Resolves when it can be used; absent where it can be already, or somebody else's affair. */
  up?: Promise<void>;
  stop(): Promise<void>;
}

const elsewhere = async () => {};

async function postgres(config: Config, { say, onLost, leaving }: StackEvents): Promise<Started> {
  const { databaseUrl: url, databaseWaitMs, dataDir, postgresPort: port, restarts } = config;
  if (url !== undefined) {
    await awaitDatabase({ url, withinMs: databaseWaitMs, signal: leaving, log: say });
    return { places: [url], stop: elsewhere };
  }
  const running = await startPostgres({
    ...{ dataDir: join(dataDir, 'postgres'), port, cacheDir: config.postgresCacheDir },
    ...{ restarts, onLost, log: say },
  });
  return { places: [running.url], stop: () => running.stop() };
}

async function kafka(config: Config, { say, onLost }: StackEvents): Promise<Started> {
  if (config.kafkaBrokers !== undefined) return { places: config.kafkaBrokers, stop: elsewhere };
  const { dataDir, kafkaPort: port, kafkaCacheDir: cacheDir, restarts } = config;
  const options = { dataDir: join(dataDir, 'kafka'), port, cacheDir, restarts, onLost, log: say };
  // Commands do not need it: the service is there before it.
  const running = await beginKafka(options);
  if (!running) return { places: [], stop: elsewhere };
  const { brokers, up, stop } = running;
  up.catch(onLost);
  return { places: brokers, up, stop };
}
