import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { eventually } from '#waiting';
import { spawnNode } from '../../../test/support/process.js';
import { createTopic } from '../../../test/support/stack/topics.js';
import { DevStackError, freePort, type LocalKafkaOptions, type RunningKafka, startKafka } from '../index.js';

const script = join(import.meta.dirname, '../../../test/support/run-stack.js');
let dataDir: string;
let port: number;
let log: string[];
let running: RunningKafka | undefined;

const start = async (more: Partial<LocalKafkaOptions> = {}) => {
  const cacheDir = process.env.KAFKA_CACHE_DIR;
  running = await startKafka({ dataDir, port, cacheDir, log: (line) => log.push(line), ...more });
  return running;
};
const endedByItself = () => log.some((line) => line.includes('ended unexpectedly (signal SIGKILL)'));
const client = () =>
  new kafkajs.Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: kafkajs.logLevel.NOTHING });

/** Sends one record and resolves to how many the partition holds then. */
const send = async (value: string) => {
  const admin = client().admin();
  const producer = client().producer();
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    await createTopic(admin, 'seen', 1);
    await producer.send({ topic: 'seen', acks: -1, messages: [{ value }] });
    return (await admin.fetchTopicOffsets('seen'))[0]?.high;
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
};

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dev-stack-'));
  port = await freePort();
  log = [];
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

test('data survive a kill -9 of the parent, a kill -9 of the broker, and a stop', async () => {
  const parent = spawnNode(script, {
    args: ['kafka', dataDir, String(port)],
  });
  await parent.waitForLine(/^up$/, 60_000);
  expect(await send('orphan')).toBe('1');
  await parent.kill('SIGKILL');

  await start();
  expect(log).toContainEqual(
    expect.stringMatching(/stopped process \d+, which an earlier run had left behind/),
  );
  expect(await send('kill')).toBe('2');
  process.kill(Number(await readFile(join(dataDir, 'kafka.pid'), 'utf8')), 'SIGKILL');
  expect(await eventually(endedByItself, { withinMs: 5_000 })).toBe(true);
  await running?.stop();

  await start();
  expect(await send('stop')).toBe('3');
});

test('a broker that dies is started again on its port, with its data', async () => {
  await start({ restarts: 3 });
  expect(await send('before')).toBe('1');
  process.kill(Number(await readFile(join(dataDir, 'kafka.pid'), 'utf8')), 'SIGKILL');
  const again = () => log.includes('Kafka: running again');
  expect(await eventually(again, { withinMs: 50_000 })).toBe(true);
  expect(await send('after')).toBe('2');
});

test('a port in use is said with the variable that moves it', async () => {
  const other = createServer().listen(port, '127.0.0.1');
  const error = await start().catch((error: unknown) => error as Error);
  expect(error).toBeInstanceOf(DevStackError);
  expect((error as Error).message).toMatch(new RegExp(`port ${port} of 127.0.0.1 is in use.*KAFKA_PORT`));
  await new Promise((closed) => other.close(closed));
});

test.each([
  ['none on the PATH', { PATH: '/nowhere' }],
  ['a JAVA_HOME that is none', { PATH: process.env.PATH, JAVA_HOME: '/nowhere' }],
])('without Java (%s) it says so in one line and starts nothing', async (_, env) => {
  expect(await start({ env })).toBeUndefined();
  expect(log).toEqual([expect.stringContaining('Java 17 or newer')]);
});

test('offline with an empty cache it says so in a line and starts nothing', async () => {
  const repository = `http://127.0.0.1:${await freePort()}`;
  expect(await start({ cacheDir: join(dataDir, 'cache'), repository, retryAfterMs: 1 })).toBeUndefined();
  expect(log).toEqual([
    expect.stringMatching(/fetching \d+ jars/),
    expect.stringMatching(/not started, cannot fetch .*ECONNREFUSED/),
  ]);
});
