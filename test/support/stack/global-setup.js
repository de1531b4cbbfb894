// One real Postgres and one real Kafka for all test files. Plain JavaScript: jest loads it untransformed, and
// `npm test` builds first.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startKafka, startPostgres } from '../../../dist/libs/dev-stack/index.js';
import { removeLeftovers, removeStack, stackPrefix } from './stack.js';

export default async function globalSetup() {
  const log = (line) => process.stderr.write(`${line}\n`);
  await removeLeftovers(log);
  const directory = await mkdtemp(join(tmpdir(), `${stackPrefix}${process.pid}-`));
  const stack = { directory, servers: [] };
  globalThis.sessionLedgerTestStack = stack;
  stopOnSignals(stack);
  try {
    await start(stack, log);
  } catch (error) {
    await removeStack(stack);
    throw error;
  }
}

async function start(stack, log) {
  const [postgresPort, kafkaPort] = await Promise.all([freePort(), freePort()]);
  const keep = (server) => {
    if (server) stack.servers.push(server);
    return server;
  };
  const started = await Promise.allSettled([
    startPostgres({
      dataDir: join(stack.directory, 'postgres'),
      port: postgresPort,
      superuser: true,
      log,
      cacheDir: process.env.POSTGRES_CACHE_DIR,
    }).then(keep),
    startKafka({
      dataDir: join(stack.directory, 'kafka'),
      port: kafkaPort,
      log,
      cacheDir: process.env.KAFKA_CACHE_DIR,
    }).then(keep),
  ]);
  const failed = started.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
  const [postgres, kafka] = started.map(({ value }) => value);
  if (!kafka)
    throw new Error('The tests need a real Kafka, which could not be started: the line above says why.');
  process.env.TEST_DATABASE_URL = postgres.url;
  process.env.TEST_KAFKA_BROKERS = kafka.brokers.join(',');
}

// jest skips the teardown on Ctrl-C.
function stopOnSignals(stack) {
  const stopAndLeave = (signal) => {
    removeStack(stack).finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', stopAndLeave);
  process.once('SIGTERM', stopAndLeave);
}
