import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { kafkaJars, kafkaVersion } from '../generated/kafka-jars.js';
import { fetchJars, jarFile, missingJars } from './jar-cache.js';
import { progressOn } from './progress.js';

/** Where Kafka's jars come from, and whom to tell about it. */
export interface JarOptions {
  /** Gets whole lines meant for people. */
  log(line: string): void;
  /** The jars are kept in `kafka-<version>` in here; default `$XDG_CACHE_HOME` or `~/.cache`, + `/session-ledger`. */
  cacheDir?: string | undefined;
  /** A download draws its bar here if it is a terminal; default standard error. */
  progress?: NodeJS.WriteStream | undefined;
  /** Where JAVA_HOME, PATH and XDG_CACHE_HOME are looked up; default the process's own. */
  env?: NodeJS.ProcessEnv | undefined;
  /** The Maven repository to fetch from; default Maven Central. */
  repository?: string | undefined;
  /** Milliseconds before a jar is asked for again, doubling with each attempt; default 500. */
  retryAfterMs?: number | undefined;
}

/** Makes sure that the cache holds Kafka, whole. Resolves to its class path; to undefined, after a line, if not. */
export async function provideJars(options: JarOptions): Promise<string | undefined> {
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
