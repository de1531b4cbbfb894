import { setTimeout as pause } from 'node:timers/promises';
import { type KafkaPort, openKafka } from '#broker';
import { execute } from '../support/database.js';
import { ask } from '../support/http.js';
import { freshDatabase, freshTopic, type Service, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';

const kafkaBrokers = process.env.TEST_KAFKA_BROKERS ?? '';
const FOREVER = { 'retention.ms': '-1' };
let kafka: KafkaPort;
beforeAll(() => {
  kafka = openKafka({ brokers: kafkaBrokers.split(',') });
});
afterAll(() => kafka.close());

const health = async ({ url }: Service) => (await ask(`${url}/health/ready`)).body;
const metric = async ({ url }: Service, name: string) => {
  const { text } = await ask(`${url}/metrics`);
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
};

/** Asks until it is so; then what was asked for is told. */
async function until<T>(look: () => Promise<T>, isSo: (found: T) => boolean, ms = 30_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (isSo(found)) return found;
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${JSON.stringify(found)}`);
    await pause(100);
  }
}

async function createTopic(topic: string, partitions: number): Promise<void> {
  await kafka.createTopic(topic, { partitions, replicationFactor: 1, config: FOREVER }).catch((error) => {
    // It is made, and a busy broker has not told of its leaders yet.
    if (error.type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
  });
}

test.concurrent('a replica that relays a part of the partitions says so, and what it waited for is told no more', async () => {
  const databaseUrl = await freshDatabase();
  const first = await startService({ databaseUrl });
  await first.stop();
  await execute(
    databaseUrl,
    `update ledger.relays set holder = 'another', until = now() + interval '1 hour' where partition < 9`,
  );
  const service = await startService({ databaseUrl, kafkaBrokers });
  const counts = { relaying: 7, standby: 9, behind: 0, stopped: 0 };
  const relaying = (body: Record<string, unknown>) =>
    JSON.stringify(body.relayPartitions) ===
    JSON.stringify({ standby: 9, relaying: 7, behind: 0, stopped: 0 });
  const body = await until(() => health(service), relaying);
  expect(body).toMatchObject({ ready: true, relay: 'relaying', relayPartitions: counts });
  expect(body).not.toHaveProperty('relayWhy');
  expect(await metric(service, 'ledger_relay_partitions{state="relaying"}')).toEqual(['7']);
  expect(await metric(service, 'ledger_relay_partitions{state="standby"}')).toEqual(['9']);
  await execute(databaseUrl, `update ledger.relays set until = '-infinity'`);
  await until(
    () => health(service),
    (found) => (found.relayPartitions as typeof counts).relaying === 16,
  );
}, 120_000);

test.concurrent('a topic that cannot carry the ledger stops the relay, and once it can the relay goes on by itself', async () => {
  const topic = freshTopic();
  await createTopic(topic, 3);
  const service = await startService({ kafkaBrokers, topic });
  const stopped = await until(
    () => health(service),
    ({ relay }) => relay === 'stopped',
  );
  expect(stopped).toMatchObject({
    ready: true,
    relayCode: 'topic-mismatch',
    relayWhy: expect.stringMatching(/has 3 partitions, the ledger 16/),
  });
  expect(await metric(service, 'ledger_relay_stopped_partitions{code="topic-mismatch"}')).toEqual(['16']);
  await kafka.deleteTopic(topic);
  const well = await until(
    () => health(service),
    ({ relay }) => relay === 'relaying',
  );
  expect(well).not.toHaveProperty('relayWhy');
  expect(well).not.toHaveProperty('relayCode');
  expect(await metric(service, 'ledger_relay_stopped_partitions{code="topic-mismatch"}')).toEqual([]);
  expect(service.output()).toMatch(/relay: not started yet\. Kafka topic/);
}, 120_000);

test.concurrent('a topic with fewer copies than are wanted is relayed to, with a warning', async () => {
  const topic = freshTopic();
  await createTopic(topic, 16);
  const service = await startService({ kafkaBrokers, topic, env: { KAFKA_REPLICAS: '3' } });
  const body = await until(
    () => health(service),
    ({ relay }) => relay === 'relaying',
  );
  expect(body.relayWarnings).toEqual([expect.stringMatching(/has 1 of 3 copies/)]);
  expect(await metric(service, 'ledger_relay_topic_warnings{code="few-copies"}')).toEqual(['1']);
}, 120_000);

test.concurrent('a topic that was deleted and made again under a running service gets everything again', async () => {
  const topic = freshTopic();
  const service = await startService({ kafkaBrokers, topic });
  await until(
    () => health(service),
    (found) => (found.relayPartitions as { relaying: number }).relaying === 16,
  );
  const start = () => ask(`${service.url}/v1/sessions`, { body: { userId: newUser(), owner: cloudDev } });
  const behind = () => metric(service, 'ledger_relay_behind_events');
  // A topic that is new on a busy broker has partitions without a leader: nothing can be counted there yet.
  const counted = async () =>
    (await kafka.bounds(topic).catch(() => [])).reduce((sum, { begin, end }) => sum + end - begin, 0);
  for (let count = 0; count < 40; count++) expect((await start()).status).toBe(201);
  await until(behind, ([events]) => events === '0');
  await until(counted, (events) => events === 40);
  await kafka.deleteTopic(topic);
  await createTopic(topic, 16);
  await pause(500);
  for (let count = 0; count < 10; count++) expect((await start()).status).toBe(201);
  await until(counted, (events) => events === 50);
  expect(service.output()).toMatch(/is empty and new, but had confirmed \d+ events/);
  await service.restart();
  await until(
    () => health(service),
    ({ relay }) => relay === 'relaying',
  );
  expect(await counted()).toBe(50);
  expect((await health(service)).relayPartitions).toMatchObject({ stopped: 0 });
}, 120_000);
