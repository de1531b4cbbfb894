import kafkajs from 'kafkajs';
import pg from 'pg';
import { createDatabase, type TestDatabase } from './database.js';
import { contains, isProduce, startProxy, type TcpProxy } from './proxy.js';
import { createTopic } from './stack/topics.js';

describe('in front of Postgres', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;

  beforeAll(async () => {
    database = await createDatabase();
    const { hostname, port } = new URL(database.url);
    proxy = await startProxy({ target: { host: hostname, port: Number(port) } });
  });
  afterAll(async () => {
    await proxy.close();
    await database.drop();
  });
  const connect = async () => {
    const client = new pg.Client({ connectionString: proxy.reroute(database.url), query_timeout: 500 });
    client.on('error', () => undefined); // resets are what is tested
    await client.connect();
    return client;
  };

  test('a commit whose answer is lost has happened', async () => {
    const writer = await connect();
    await writer.query('CREATE TABLE written (n int)');
    await writer.query('BEGIN');
    proxy.dropNextReplies(1, contains('COMMIT'));
    await writer.query('INSERT INTO written VALUES (1)');
    await expect(writer.query('COMMIT')).rejects.toThrow();
    expect(proxy.swallowed()).toBe(1);
    const reader = await connect();
    expect((await reader.query('SELECT n FROM written')).rows).toEqual([{ n: 1 }]);
    await reader.end();
  });

  test('it refuses while cut and works again once healed', async () => {
    const before = await connect();
    proxy.cut();
    await expect(before.query('SELECT 1')).rejects.toThrow();
    await expect(connect()).rejects.toThrow();
    proxy.heal();
    await (await connect()).end();
  });

  test('swallowed answers leave the caller waiting, and the connection does not come back', async () => {
    const client = await connect();
    proxy.swallowReplies();
    await expect(client.query('SELECT 1')).rejects.toThrow('Query read timeout');
    proxy.heal();
    await expect(client.query('SELECT 1')).rejects.toThrow();
  });

  test('delayed answers come late and in order', async () => {
    const client = await connect();
    proxy.delay(100);
    const began = performance.now();
    await client.query('SELECT 1');
    expect(performance.now() - began).toBeGreaterThanOrEqual(99);
    proxy.delay(0);
    expect((await client.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
    await client.end();
  });
});

test('in front of Kafka, all connections pass through it', async () => {
  const [host = '', port] = (process.env.TEST_KAFKA_BROKERS ?? '').split(':');
  const proxy = await startProxy({ target: { host, port: Number(port) }, kafka: true });
  const client = new kafkajs.Kafka({ brokers: [proxy.address], logLevel: kafkajs.logLevel.NOTHING });
  const [admin, producer] = [client.admin(), client.producer({ retry: { retries: 3 } })];
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    const topic = 'through-the-proxy';
    await createTopic(admin, topic, 1);
    proxy.dropNextReplies(1, isProduce);
    await producer.send({ topic, acks: -1, messages: [{ value: 'once' }] }); // kafkajs sends it again
    expect(proxy.swallowed()).toBe(1);
    expect((await admin.fetchTopicOffsets(topic))[0]?.high).toBe('2'); // it is not idempotent
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await proxy.close();
  }
});
