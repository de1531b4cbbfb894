import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createDatabase, type TestDatabase } from './database.js';
import { type Exit, type NodeProcess, spawnNode } from './process.js';

/** What is started. */
export const main = fileURLToPath(new URL('../../dist/apps/ledger/main.js', import.meta.url));
const READY = /^Ledger on (https?:\S+),/;

export interface ServiceOptions {
  /** Replicas of one ledger share a database. A fresh one when left out, dropped after the test file. */
  databaseUrl?: string;
  /** No Kafka when left out. */
  kafkaBrokers?: string;
  topic?: string;
  env?: NodeJS.ProcessEnv;
  /** How many files it may have open. */
  openFiles?: number;
}

/** The real service, in a process of its own. It is stopped after the test file. */
export interface Service {
  /** Its address; a restart keeps it. */
  readonly url: string;
  readonly databaseUrl: string;
  /** What runs now: its output, its end. */
  readonly process: NodeProcess;
  /** Everything that it ever wrote, restarts included. */
  output(): string;
  /** Signals it and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** Kill -9, unless it has ended, then starts it anew. */
  restart(): Promise<void>;
}

const databases: TestDatabase[] = [];
afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

/** A database of its own for this test file, dropped after it. */
export async function freshDatabase(): Promise<string> {
  const database = await createDatabase();
  databases.push(database);
  return database.url;
}

/** A topic that no other test writes to. */
export function freshTopic(): string {
  return `events.${randomBytes(6).toString('hex')}`;
}

/** The environment of a service under test: nothing of this shell's own settings, free ports, no Kafka. */
export function environment(options: ServiceOptions & { databaseUrl: string }): NodeJS.ProcessEnv {
  return {
    PORT: '0',
    HOST: undefined,
    DATABASE_URL: options.databaseUrl,
    LEDGER_MIGRATE: 'at-start',
    KAFKA_BROKERS: options.kafkaBrokers ?? 'none',
    LEDGER_TOPIC: options.topic ?? freshTopic(),
    ...options.env,
  };
}

/** Runs the service's script without waiting for anything, for starts that are meant to fail. */
export function spawnService(env: NodeJS.ProcessEnv, openFiles?: number): NodeProcess {
  return spawnNode(main, { env, ...(openFiles !== undefined && { openFiles }) });
}

/** Starts the service and waits until it takes requests. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const databaseUrl = options.databaseUrl ?? (await freshDatabase());
  const env = environment({ ...options, databaseUrl });
  const runs: NodeProcess[] = [];
  const run = async (): Promise<string> => {
    const process = spawnService(env, options.openFiles);
    runs.push(process);
    const line = await process.waitForLine(READY, 20_000);
    return READY.exec(line)?.[1] ?? '';
  };
  const url = await run();
  env.PORT = new URL(url).port;
  const last = () => runs.at(-1) as NodeProcess;
  return {
    url,
    databaseUrl,
    get process() {
      return last();
    },
    output: () => runs.flatMap(({ lines, errors }) => [...lines, ...errors]).join('\n'),
    stop: (signal = 'SIGTERM') => last().kill(signal),
    async restart() {
      await last().kill('SIGKILL');
      await run();
    },
  };
}
