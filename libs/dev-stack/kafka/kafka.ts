import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { eventually } from '#waiting';
import { claimDirectory } from '../claim.js';
import { aboutFiles, DevStackError } from '../errors.js';
import { kafkaVersion } from '../generated/kafka-jars.js';
import { keepRunning, type Restarts } from '../keep-running.js';
import { freePort, requireFreePort } from '../ports.js';
import { commandLine, type StopStep, stopProcess } from '../processes.js';
import { lastLines, launch, rotateLog, type Server } from '../server.js';

import { loggingProperties, serverProperties } from './kafka-config.js';
import { type JarOptions, provideJars } from './kafka-download.js';
import { findJava, formatStorage, javaArguments } from './kafka-java.js';

/** Where the Kafka of one machine lives, and whom to tell about it. */
export interface LocalKafkaOptions extends Restarts, JarOptions {
  /** Holds `logs/` (the data), the configuration, `kafka.log` and `owner.json`; made when absent. */
  dataDir: string;
  port: number;
  /** More of `server.properties`, over what stands there. */
  settings?: Readonly<Record<string, string>> | undefined;
  /** More arguments of the storage tool when the data directory is made, as for a user that has to be there from the start. */
  formatArguments?: readonly string[] | undefined;
  /** Gets whole lines meant for people. */
  log(line: string): void;
}

/** A running Kafka. */
export interface RunningKafka {
  /** Bootstrap addresses, `host:port`. */
  brokers: string[];
  /** Stops the broker, within 10 s; the data stays. */
  stop(): Promise<void>;
}

/** One that is on its way: its address is known before it answers there. */
export interface StartingKafka extends RunningKafka {
  /** Resolves once it answers for its metadata. Rejects with a DevStackError when it does not come up. */
  up: Promise<void>;
}

const stopSteps: readonly [StopStep, ...StopStep[]] = [
  { signal: 'SIGTERM', waitMs: 8_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

/** What Java itself says; Kafka has a log of its own. */
const CONSOLE = 'console.log';

/** Three seconds on two cores; recovery of large logs after a crash takes longer. */
const startWithinMs = 90_000;

/**
 * Starts a real Kafka (one KRaft node on 127.0.0.1), fetching its jars first when they are not in the cache.
 * Resolves once it answers for its metadata; to undefined, after one line to `log`, where there is no Java 17
 * or the jars cannot be had: the service runs on without. A broker that a killed run left behind on the same
 * data is stopped first.
 * @throws DevStackError with one line: the port is in use, a live process owns the data, it does not come up.
 */
export async function startKafka(options: LocalKafkaOptions): Promise<RunningKafka | undefined> {
  const kafka = await beginKafka(options);
  await kafka?.up;
  return kafka;
}

/** As `startKafka`, without waiting for the broker itself, which takes seconds. */
export async function beginKafka(options: LocalKafkaOptions): Promise<StartingKafka | undefined> {
  const { port, log, env = process.env } = options;
  const directory = resolve(options.dataDir);
  const java = await findJava(env);
  if (!java) {
    log(
      'Kafka: not started, it needs Java 17 or newer (on the PATH or in JAVA_HOME); KAFKA_BROKERS uses another',
    );
    return undefined;
  }
  const classPath = await provideJars(options);
  if (!classPath) return undefined;
  const giveBack = await claimDirectory(directory, 'Kafka');
  try {
    await chmod(directory, 0o700);
    await stopLeftoverKafka(directory, log);
    await requireFreePort(port, 'Kafka', 'KAFKA_PORT');
    await rotateLog(join(directory, CONSOLE));
    const starting = keepRunning({
      ...options,
      name: 'Kafka',
      logFile: join(directory, 'kafka.log'),
      start: (stopping) => startServer(java, classPath, directory, options, stopping),
    });
    const up = starting.then(
      () => log(`Kafka ${kafkaVersion} on 127.0.0.1:${port}, data in ${directory}`),
      async (error) => {
        await giveBack();
        throw aboutFiles('Kafka', error);
      },
    );
    up.catch(() => {}); // whoever waits for it hears of it
    const stop = async () => {
      const server = await starting.catch(() => undefined);
      await server?.stop().finally(giveBack);
    };
    return { brokers: [`127.0.0.1:${port}`], up, stop };
  } catch (error) {
    await giveBack();
    throw aboutFiles('Kafka', error);
  }
}

/** Stops the Kafka that runs on the data below `dataDir`, if any, whoever started it. */
export async function stopLeftoverKafka(dataDir: string, log: (line: string) => void): Promise<void> {
  const directory = resolve(dataDir);
  const pidFile = join(directory, 'kafka.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (!(pid > 0)) return;
  // The pid may belong to somebody else by now; only a command line with our directory is ours.
  const ours = async () => (await commandLine(pid)).includes(join(directory, 'server.properties'));
  if (await ours()) {
    if (!(await stopProcess(pid, ours, stopSteps))) {
      throw new DevStackError(`Kafka: process ${pid} of an earlier run does not end; stop it by hand`);
    }
    log(`Kafka: stopped process ${pid}, which an earlier run had left behind`);
  }
  await rm(pidFile, { force: true });
}

async function startServer(
  java: string,
  classPath: string,
  directory: string,
  { port, settings, formatArguments = [] }: LocalKafkaOptions,
  stopping: AbortSignal,
): Promise<Server> {
  await requireFreePort(port, 'Kafka', 'KAFKA_PORT'); // or a stranger's would be taken for ours
  const place = { directory, port, controllerPort: await freePort() };
  await writeFile(join(directory, 'server.properties'), serverProperties(place, settings));
  await writeFile(join(directory, 'log4j2.properties'), loggingProperties(place));
  await formatStorage(java, classPath, directory, formatArguments);
  const logFile = join(directory, CONSOLE);
  const server = await launch({
    command: java,
    args: [...javaArguments(classPath, directory), 'kafka.Kafka', join(directory, 'server.properties')],
    logFile,
    stopSteps,
    stopping,
  });
  await writeFile(join(directory, 'kafka.pid'), String(server.pid));
  const why = await waitUntilUp(port, () => server.ended());
  if (!why) return server;
  await server.stop();
  const ending = (await lastLines(logFile, 3)) || (await lastLines(join(directory, 'kafka.log'), 3));
  throw new DevStackError(`Kafka: did not come up: ${why}; ${directory}/kafka.log says: ${ending}`);
}

/** Resolves to undefined once the broker names itself in its metadata, else to what was wrong at last. */
async function waitUntilUp(port: number, ended: () => string | undefined): Promise<string | undefined> {
  // Loaded here, because only who starts a Kafka needs it.
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  let refused = 'no answer';
  const answered = await eventually(
    async () => {
      if (ended()) return { why: `it ended with ${ended()}` };
      const admin = new Kafka({
        brokers: [`127.0.0.1:${port}`],
        logLevel: logLevel.NOTHING,
        connectionTimeout: 1_000,
        requestTimeout: 2_000,
        retry: { retries: 0 },
      }).admin();
      try {
        await admin.connect();
        const { brokers } = await admin.describeCluster();
        return brokers.length > 0 && { why: undefined };
      } catch (error) {
        refused = (error as Error).message; // not listening yet
        return undefined;
      } finally {
        await admin.disconnect();
      }
    },
    { withinMs: startWithinMs, everyMs: 100 },
  );
  return answered ? answered.why : `${refused} within ${startWithinMs / 1000} s`;
}
