import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { kafkaJars, kafkaVersion } from './generated/kafka-jars.js';
import { fetchJars, jarFile, missingJars } from './jar-cache.js';
import type { KafkaOptions } from './kafka.js';
import { progressOn } from './progress.js';

/** Makes sure that the cache holds Kafka, whole. Resolves to its class path; to undefined, after a line, if not. */
export async function provideJars(options: KafkaOptions): Promise<string | undefined> {
  const { log, env = process.env, progress = process.stderr } = options;
  const base = options.cacheDir ?? join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'session-ledger');
  const directory = join(base, `kafka-${kafkaVersion}`);
  const repository = options.repository ?? 'https://repo1.maven.org/maven2';
  const cache = { directory, jars: kafkaJars, repository, retryAfterMs: options.retryAfterMs ?? 500 };
  const missing = await missingJars(cache);
  if (missing.length > 0) {
    const megabytes = (missing.reduce((sum, { size }) => sum + size, 0) / 1e6).toFixed(0);
    const began = performance.now();
    log(`Kafka: fetching ${missing.length} jars (${megabytes} MB, once) from ${repository} to ${directory}`);
    try {
      await fetchJars(cache, missing, progressOn(progress, 'Kafka'));
    } catch (error) {
      log(`Kafka: not started, cannot fetch ${(error as Error).message}; KAFKA_BROKERS uses another`);
      return undefined;
    }
    log(`Kafka: fetched and verified in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  return kafkaJars.map((jar) => jarFile(directory, jar)).join(delimiter);
}
