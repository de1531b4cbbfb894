import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, type RunningKafka, type RunningPostgres, startKafka, startPostgres } from '#dev-stack';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { freshTopic, type Service, startService } from '../support/service.js';

/** As in support/stack.js: what a dead run leaves under it is stopped and removed by the next one. */
const PREFIX = 'session-ledger-test-';

/** A replica, and the proxies before and behind it. */
export interface Replica {
  service: Service;
  /** Between clients and the service. */
  front: TcpProxy;
  /** Between the service and Postgres. */
  back: TcpProxy;
}

/** A server that can be taken away and brought back with its data. */
export interface Stoppable {
  /** Its process. */
  pid(): Promise<number>;
  /** Brings it back after its process was ended. */
  start(): Promise<void>;
}

/** Two replicas of the service, and a Postgres and a Kafka of their own, since both are stopped now and then. */
export interface World {
  replicas: readonly Replica[];
  partitions: number;
  topic: string;
  brokers: string[];
  /** Of Postgres, past the proxies, with all rights. */
  databaseUrl: string;
  postgres: Stoppable;
  kafka: Stoppable;
  /** A connection to it. The caller ends it. */
  connect(): Promise<pg.Client>;
  /** Stops everything and removes the data. */
  close(): Promise<void>;
}

export async function openWorld(partitions: number, log: (line: string) => void): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  await chmod(directory, 0o755); // Postgres runs as another account when we are root
  const postgres = await startStoppable(
    join(directory, 'postgres'),
    'cluster/postmaster.pid',
    (dataDir, port) => startPostgres({ dataDir, port, log }),
  );
  const kafka = await startStoppable(join(directory, 'kafka'), 'kafka.pid', async (dataDir, port) => {
    const started = await startKafka({ dataDir, port, log, cacheDir: process.env.KAFKA_CACHE_DIR });
    if (!started) throw new Error('The checker needs a real Kafka, which could not be started.');
    return started;
  });
  const { url } = postgres.first;
  const { brokers } = kafka.first;
  const topic = freshTopic();
  const replicas: Replica[] = [];
  const env = { LEDGER_PARTITIONS: String(partitions) };
  for (let count = 0; count < 2; count++) {
    const back = await startProxy({ target: placeOf(url) });
    const databaseUrl = back.reroute(url);
    const service = await startService({ databaseUrl, kafkaBrokers: brokers.join(), topic, env });
    replicas.push({ service, back, front: await startProxy({ target: placeOf(service.url) }) });
  }
  return {
    replicas,
    partitions,
    topic,
    brokers,
    databaseUrl: url,
    postgres,
    kafka,
    async connect() {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
      client.on('error', () => {}); // its statements say so
      await client.connect();
      return client;
    },
    async close() {
      await Promise.all(replicas.map(({ service }) => service.stop('SIGKILL')));
      await Promise.all(replicas.flatMap(({ front, back }) => [front.close(), back.close()]));
      await Promise.all([postgres.stop(), kafka.stop()]);
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function placeOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** Starts a server so that it can be started again at the same place. */
async function startStoppable<Running extends RunningPostgres | RunningKafka>(
  dataDir: string,
  pidFile: string,
  start: (dataDir: string, port: number) => Promise<Running>,
): Promise<Stoppable & { first: Running; stop(): Promise<void> }> {
  const port = await freePort();
  const first = await start(dataDir, port);
  let running = first;
  return {
    first,
    pid: async () => Number.parseInt(await readFile(join(dataDir, pidFile), 'utf8'), 10),
    async start() {
      await running.stop(); // it has ended already: this gives its directory back
      running = await start(dataDir, port);
    },
    stop: () => running.stop(),
  };
}
