import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, type RunningKafka, type RunningPostgres, startKafka, startPostgres } from '#dev-stack';
import { startProxy, type TcpProxy } from '../../support/proxy.js';
import { freshTopic, type Service, startService } from '../../support/service.js';

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
  /** Uses a connection to it. */
  withClient<T>(use: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Stops everything and removes the data. */
  close(): Promise<void>;
}

export async function openWorld(partitions: number, log: (line: string) => void): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  await chmod(directory, 0o755); // Postgres runs as another account when we are root
  const { postgres, kafka } = await startServers(directory, log);
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
    async withClient(use) {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
      client.on('error', () => {}); // its statements say so
      await client.connect();
      try {
        return await use(client);
      } finally {
        await client.end();
      }
    },
    async close() {
      await Promise.all(replicas.map(({ service }) => service.stop('SIGKILL')));
      await Promise.all(replicas.flatMap(({ front, back }) => [front.close(), back.close()]));
      await stopAll([postgres, kafka]);
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Both at once; when one does not start, the other one is stopped again. */
async function startServers(directory: string, log: (line: string) => void) {
  const started = await Promise.allSettled([
    startStoppable(join(directory, 'postgres'), 'cluster/postmaster.pid', (dataDir, port) =>
      startPostgres({ dataDir, port, superuser: true, log }),
    ),
    startStoppable(join(directory, 'kafka'), 'kafka.pid', async (dataDir, port) => {
      const kafka = await startKafka({ dataDir, port, log, cacheDir: process.env.KAFKA_CACHE_DIR });
      if (!kafka) throw new Error('The checker needs a real Kafka: the line above says why there is none.');
      return kafka;
    }),
  ]);
  const [postgres, kafka] = started;
  if (postgres.status === 'fulfilled' && kafka.status === 'fulfilled') {
    return { postgres: postgres.value, kafka: kafka.value };
  }
  await stopAll(started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
  throw [postgres, kafka].find((one) => one.status === 'rejected')?.reason;
}

/** Stops each, whatever becomes of the others; throws what went wrong first. */
async function stopAll(servers: readonly { stop(): Promise<void> }[]): Promise<void> {
  const stopped = await Promise.allSettled(servers.map((server) => server.stop()));
  const failed = stopped.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
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
