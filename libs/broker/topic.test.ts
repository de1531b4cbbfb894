import { compareTopic, ensureTopic, type KafkaPort, Relay, type RelayOptions } from './index.js';
import { bareKafka, createTopic, deleteRecords, newTopic, testKafka, until } from './testing/kafka.js';
import { MemoryLog } from './testing/memory-log.js';

const relays: Relay[] = [];
let kafka: KafkaPort;
beforeEach(() => {
  kafka = testKafka();
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop(1_000)));
  await kafka.close();
});

/** Mirrors one event; the topic is made or found on the way. */
function start(topic: string, options: Partial<RelayOptions> = {}): Relay {
  const log = new MemoryLog(1);
  log.append(0, 1);
  const relay = new Relay({
    feed: log,
    leases: log,
    kafka,
    topic,
    lookAgainMs: 200,
    idleMs: 200,
    ...options,
  });
  relays.push(relay);
  relay.start();
  return relay;
}

const why = (relay: Relay) => relay.status().partitions[0]?.why ?? '';
const sent = (relay: Relay) => () => relay.status().partitions[0]?.sent === 1;

describe('while the cluster is still starting, the topic is not made', () => {
  // The one broker of this test stands for as many as are told here; it can hold one copy only.
  test.each([
    ['with brokers that the configuration names', { listedBrokers: 2 }, 2, 2],
    ['with three of five that are named', { listedBrokers: 5 }, 3, 3],
    ['with as many copies as are wanted', { replicationFactor: 2, listedBrokers: 5 }, 2, 2],
  ])('%s', async (_, options, enough, copies) => {
    const topic = newTopic();
    const wanted: number[] = [];
    let brokers = 1;
    kafka.countBrokers = async () => brokers;
    const { createTopic } = kafka;
    kafka.createTopic = (name, spec) => {
      wanted.push(spec.replicationFactor);
      return createTopic.call(kafka, name, { ...spec, replicationFactor: 1 });
    };
    const relay = start(topic, options);
    await until('it waits', () => /Kafka has only 1 of the brokers/.test(why(relay)));
    expect(why(relay)).toMatch(new RegExp(`is to have ${copies} copies.*KAFKA_REPLICAS`));
    expect(relay.status().state).toBe('behind');
    expect(await kafka.topicShape(topic)).toBeUndefined();
    brokers = enough;
    await until('sent', sent(relay));
    expect(wanted).toEqual([copies]);
  });
});

test('a topic is made with what keeps every event, and with two copies in sync of three', async () => {
  const topic = newTopic();
  const specs: unknown[] = [];
  kafka.countBrokers = async () => 4;
  const { createTopic } = kafka;
  kafka.createTopic = (name, spec) => {
    specs.push(spec);
    return createTopic.call(kafka, name, { ...spec, replicationFactor: 1 });
  };
  await ensureTopic(kafka, { topic, partitions: 2 });
  const keep = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };
  const config = { ...keep, 'min.insync.replicas': '2' };
  expect(specs).toEqual([{ partitions: 2, replicationFactor: 3, config }]);
  expect(await kafka.describeTopic(topic, Object.keys(config))).toMatchObject({
    partitions: 2,
    copies: 1,
    config,
  });
});

describe('an existing topic is relayed to, with a warning when', () => {
  test('it has fewer copies than are wanted', async () => {
    const topic = newTopic();
    await createTopic(topic, 1, { 'retention.ms': '-1' });
    const relay = start(topic, { replicationFactor: 2 });
    await until('sent', sent(relay));
    expect(relay.status().warnings).toEqual([
      { code: 'few-copies', text: expect.stringMatching(/has 1 of 2 copies.*KAFKA_REPLICAS=1/) },
    ]);
  });

  test('there are more brokers than it has copies, until that is no longer so', async () => {
    const topic = newTopic();
    await createTopic(topic, 1, { 'retention.ms': '-1' });
    const { topicShape } = kafka;
    let copies = 1;
    kafka.topicShape = async (name) => {
      const shape = await topicShape.call(kafka, name);
      return shape && { ...shape, copies, brokers: 2 };
    };
    const relay = start(topic);
    await until('warned', () => relay.status().warnings[0]?.code === 'few-copies');
    copies = 2;
    await until('warned no more', () => relay.status().warnings.length === 0);
  });

  test('Kafka may confirm what one broker of three has', async () => {
    const topic = newTopic();
    await createTopic(topic, 1, { 'retention.ms': '-1', 'min.insync.replicas': '1' });
    const { topicShape } = kafka;
    kafka.topicShape = async (name) => {
      const shape = await topicShape.call(kafka, name);
      return shape && { ...shape, copies: 3, brokers: 3 };
    };
    const relay = start(topic);
    await until('sent', sent(relay));
    expect(relay.status().warnings).toEqual([
      {
        code: 'few-in-sync',
        text: expect.stringMatching(/min\.insync\.replicas=1.*min\.insync\.replicas=2/),
      },
    ]);
  });
});

describe('a topic that lost its beginning is relayed to, with a warning', () => {
  const lines: string[] = [];
  beforeEach(() => void lines.splice(0));

  /** A relay that has mirrored as many events as there are. */
  async function mirroring(
    log: MemoryLog,
    topic: string,
    options: Partial<RelayOptions> = {},
  ): Promise<Relay> {
    const relay = start(topic, { feed: log, leases: log, log: (_, line) => lines.push(line), ...options });
    await until('sent', () => relay.status().partitions[0]?.sent === log.events(0).length);
    return relay;
  }

  const lost = {
    code: 'lost-beginning',
    text: expect.stringMatching(/: partition 0 begins with event 8\. .*only/),
  };

  test('when it opens: what comes is sent, and a comparison says so, too', async () => {
    const topic = newTopic();
    const log = new MemoryLog(2);
    log.append(0, 10);
    log.append(1, 3);
    await (await mirroring(log, topic)).stop();
    await deleteRecords(topic, 7);
    log.append(0, 5);
    const relay = await mirroring(log, topic);
    await until('warned', () => relay.status().warnings.length > 0);
    expect(relay.status()).toMatchObject({ warnings: [lost], counts: { stopped: 0 } });
    expect(lines.filter((line) => line.includes('begins with event'))).toHaveLength(1);
    const reports = [];
    for await (const report of compareTopic({ kafka, topic, feed: log, heads: [15, 3] }))
      reports.push(report);
    expect(reports).toMatchObject([
      { last: 15, faults: ['it begins with event 8, at offset 7: what was before is only in the log'] },
      { last: 3, faults: [] },
    ]);
  });

  test('while it is open, and until the topic was made again', async () => {
    const topic = newTopic();
    const log = new MemoryLog(1);
    log.append(0, 10);
    const relay = await mirroring(log, topic, { checkMs: 100 });
    await until('relaying', () => relay.status().state === 'relaying');
    expect(relay.status().warnings).toEqual([]);
    await deleteRecords(topic, 7);
    await until('warned', () => relay.status().warnings.length > 0);
    expect(relay.status()).toMatchObject({ warnings: [lost], counts: { stopped: 0 } });
    await kafka.deleteTopic(topic);
    await until('warned no more', () => relay.status().warnings.length === 0);
    await until('sent again', () => relay.status().partitions[0]?.sent === 10);
    expect(lines.filter((line) => line.includes('begins with event'))).toHaveLength(1);
  });

  test('also when nothing is left of it', async () => {
    const topic = newTopic();
    const log = new MemoryLog(1);
    log.append(0, 10);
    const relay = await mirroring(log, topic, { checkMs: 100 });
    await deleteRecords(topic);
    await until('warned', () => relay.status().warnings.length > 0);
    expect(relay.status().warnings[0]?.text).toContain('partition 0 is empty');
    const faults = ['it is empty, but its end offset is 10: its records were deleted'];
    for await (const report of compareTopic({ kafka, topic, feed: log, heads: [10] }))
      expect(report).toMatchObject({ records: 0, faults });
  });
});

test('a topic has another id when it was made again, and its shape is what plain kafkajs sees', async () => {
  const topic = newTopic();
  expect(await kafka.topicShape(topic)).toBeUndefined();
  await createTopic(topic, 130);
  const first = await kafka.topicShape(topic);
  const admin = bareKafka().admin();
  await admin.connect();
  const brokers = (await admin.describeCluster()).brokers.length;
  await admin.disconnect();
  expect(first).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), partitions: 130, copies: 1, brokers });
  expect(await kafka.topicShape(topic)).toEqual(first);
  await kafka.deleteTopic(topic);
  await kafka.deleteTopic(topic);
  await createTopic(topic, 1);
  // A broker hears of it a little later than the controller.
  const isAnother = async () => (await kafka.topicShape(topic))?.id !== first?.id;
  for (let asked = 0; asked < 200 && !(await isAnother()); asked++)
    await new Promise((r) => setTimeout(r, 10));
  expect(await isAnother()).toBe(true);
});
