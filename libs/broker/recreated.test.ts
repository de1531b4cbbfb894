import { compareTopic, type KafkaPort, type OutgoingRecord, Relay, type RelayOptions } from './index.js';
import { toRecord } from './record.js';
import { FaultyNetwork } from './testing/faulty-network.js';
import { createTopic, deleteRecords, newTopic, readAll, testKafka, until } from './testing/kafka.js';
import { MemoryLog } from './testing/memory-log.js';

const relays: Relay[] = [];
const networks: FaultyNetwork[] = [];
let kafka: KafkaPort;

beforeEach(() => {
  kafka = testKafka();
});

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop(1_000)));
  for (const network of networks.splice(0)) network.close();
  await kafka.close();
});

function relayOf(log: MemoryLog, topic: string, options: Partial<RelayOptions> = {}): Relay {
  const relay = new Relay({
    feed: log,
    leases: log,
    kafka,
    topic,
    leaseSeconds: 2,
    lookAgainMs: 300,
    idleMs: 500,
    ...options,
  });
  relays.push(relay);
  relay.start();
  return relay;
}

const sent = (relay: Relay, log: MemoryLog) => () =>
  relay.status().partitions.every(({ sent, partition }) => sent === log.events(partition).length);

/** A relay that has mirrored so many events of each partition, and has stored so. */
async function mirrored(partitions: number, count: number, options: Partial<RelayOptions> = {}) {
  const log = new MemoryLog(partitions);
  const topic = newTopic();
  for (let partition = 0; partition < partitions; partition++) log.append(partition, count);
  const relay = relayOf(log, topic, options);
  const all = Array.from({ length: partitions }, (_, each) => each);
  await until('confirmed', () => all.every((each) => log.confirmed(each) === count));
  return { log, topic, relay };
}

async function recreate(topic: string, partitions: number): Promise<void> {
  await kafka.deleteTopic(topic);
  await createTopic(topic, partitions, { 'retention.ms': '-1' });
}

async function expectExactly(log: MemoryLog, topic: string): Promise<void> {
  for (const [partition, records] of (await readAll(topic)).entries()) {
    const events = log.events(partition);
    expect(records.map(({ sequence }) => sequence)).toEqual(events.map(({ sequence }) => sequence));
    expect(records.every(({ value }, index) => value.equals(events[index]!.bytes))).toBe(true);
  }
}

async function whyStopped(relay: Relay) {
  await until('stopped', () => relay.status().partitions[0]?.state === 'stopped');
  const { code, why } = relay.status().partitions[0]!;
  return { code, why };
}

/** Longer than a look at the topic counts as recent. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 250));

/** The past is in an archive: what is before `from` cannot be read any more. */
function archive(log: MemoryLog, from: number): void {
  const readTable = log.readTable.bind(log);
  log.readTable = async (partition, after, limit) => {
    if (after + 1 < from) throw Object.assign(new Error('They are in a.gz.'), { code: 'archived' });
    return readTable(partition, after, limit);
  };
}

describe('a topic that was deleted and made again gets the whole log', () => {
  test('under a running relay', async () => {
    const { log, topic, relay } = await mirrored(4, 20);
    await recreate(topic, 4);
    await aMoment();
    for (const partition of [0, 1, 2]) log.append(partition, 5);
    await until('noticed', () => log.confirmed(0) < 20);
    await until('sent', sent(relay, log), 10_000);
    await expectExactly(log, topic);
    expect(relay.status().counts).toMatchObject({ stopped: 0, behind: 0 });
  });

  test('while nothing is to be sent', async () => {
    const { log, topic, relay } = await mirrored(2, 20);
    await recreate(topic, 2);
    await until('noticed', () => log.confirmed(0) + log.confirmed(1) < 40, 8_000);
    await until('sent', sent(relay, log));
    await expectExactly(log, topic);
  });

  test('while the relay was stopped', async () => {
    const { log, topic, relay } = await mirrored(2, 20);
    await relay.stop();
    await recreate(topic, 2);
    const lines: string[] = [];
    const next = relayOf(log, topic, { log: (_, line) => lines.push(line) });
    await until('sent', sent(next, log));
    await expectExactly(log, topic);
    expect(lines.join('\n')).toMatch(/partition 0 is empty and new, but had confirmed 20 events/);
  });

  test('also when a relay ends in the middle, and another one goes on', async () => {
    const { log, topic, relay } = await mirrored(1, 2_000);
    await relay.stop();
    await recreate(topic, 1);
    const second = relayOf(log, topic, { maxRecords: 5 });
    const first = () => second.status().partitions[0]!.sent;
    await until('in the middle', () => first() >= 50 && first() < 1_900);
    await second.stop();
    expect(log.confirmed(0)).toBeLessThan(1_900);
    const third = relayOf(log, topic);
    await until('sent', sent(third, log));
    await expectExactly(log, topic);
  });

  test('when nobody makes it again: the relay does, after a while', async () => {
    const { log, topic, relay } = await mirrored(1, 20, { lookAgainMs: 1_500 });
    await kafka.deleteTopic(topic);
    log.append(0, 1);
    const why = () => relay.status().partitions[0]?.why ?? '';
    await until('told', () => /was deleted\. It is made again in 1\.5 s/.test(why()));
    expect(relay.status().state).toBe('behind');
    await until('sent', sent(relay, log));
    await expectExactly(log, topic);
  });

  test('when a batch had got no answer from the former one', async () => {
    const network = new FaultyNetwork();
    networks.push(network);
    const faulty = testKafka({ socketFactory: network.factory, requestTimeoutMs: 300 });
    const { log, topic, relay } = await mirrored(1, 20, { kafka: faulty, leaseSeconds: 5 });
    network.swallowing = true;
    log.append(0, 10);
    await until('behind', () => relay.status().state === 'behind');
    await new Promise((resolve) => setTimeout(resolve, 800)); // kafkajs itself tries once more
    await recreate(topic, 1);
    network.swallowing = false;
    await until('noticed', () => log.confirmed(0) < 20);
    await until('sent', sent(relay, log));
    await expectExactly(log, topic);
    await relay.stop();
    await faulty.close();
  });

  test('when two relays share its partitions', async () => {
    const { log, topic, relay } = await mirrored(4, 20);
    const other = relayOf(log, topic);
    await recreate(topic, 4);
    await until('noticed', () => [0, 1, 2, 3].every((each) => log.confirmed(each) < 20), 10_000);
    const has = (partition: number) => (each: Relay) => each.status().partitions[partition]!.sent === 20;
    await until('sent', () => [0, 1, 2, 3].every((each) => [relay, other].some(has(each))));
    await expectExactly(log, topic);
  });

  test('when what it had stopped for was done', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    await relay.stop();
    await deleteRecords(topic);
    const next = relayOf(log, topic);
    expect((await whyStopped(next)).code).toBe('kafka-lost');
    await recreate(topic, 1);
    await until('sent', sent(next, log));
    await until('relaying', () => next.status().state === 'relaying');
    expect(next.status().partitions[0]).toEqual({ partition: 0, state: 'relaying', sent: 20, head: 20 });
    await expectExactly(log, topic);
  });
});

test('what a relay stopped for is told no more once another one has the partition, but while others look', async () => {
  const { log, topic, relay } = await mirrored(1, 20);
  await relay.stop();
  await deleteRecords(topic);
  const patient = relayOf(log, topic, { lookAgainMs: 120_000, leaseSeconds: 1 });
  await whyStopped(patient);
  let asked = 0;
  const { heldByAnother } = log;
  log.heldByAnother = (...which) => {
    asked += 1;
    return heldByAnother.apply(log, which);
  };
  const another = relayOf(log, topic, { lookAgainMs: 10 });
  await whyStopped(another);
  await until('asked', () => asked >= 10);
  expect(patient.status().state).toBe('stopped');
  await recreate(topic, 1);
  await until('taken over', () => another.status().state === 'relaying');
  const askedBefore = asked;
  await until('told no more', () => patient.status().state !== 'stopped', 5_000);
  expect(patient.status().partitions).toEqual([{ partition: 0, state: 'standby', sent: 0 }]);
  expect(asked - askedBefore).toBeLessThanOrEqual(4);
});

describe('a topic that was deleted and made again stops the relay', () => {
  test('when the first events are archived, and after a restart too', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    archive(log, 10);
    await recreate(topic, 1);
    await aMoment();
    log.append(0, 1);
    const stopped = {
      code: 'topic-recreated',
      why: expect.stringMatching(/confirmed up to 20.*archived.*a\.gz/),
    };
    expect(await whyStopped(relay)).toEqual(stopped);
    await relay.stop();
    expect(await whyStopped(relayOf(log, topic))).toEqual(stopped);
    expect(await readAll(topic)).toEqual([[]]);
  });

  test('when it goes on in the middle, as one that was made again unseen does', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    await relay.stop();
    await recreate(topic, 1);
    log.append(0, 5);
    await sendTo(topic, log.events(0).slice(20).map(toRecord));
    const stopped = {
      code: 'topic-recreated',
      why: expect.stringMatching(/begins with event 21 instead of 1/),
    };
    expect(await whyStopped(relayOf(log, topic))).toEqual(stopped);
    expect(await whyStopped(relayOf(log, topic))).toEqual(stopped);
  });

  test('after one batch at most when it was made again between a look and a send', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    const shape = await kafka.topicShape(topic);
    const { topicShape } = kafka;
    kafka.topicShape = async () => shape;
    await recreate(topic, 1);
    log.append(0, 5);
    await until('stopped', () => relay.status().state === 'stopped');
    expect(relay.status().partitions[0]?.code).toMatch(/^(kafka-lost|topic-recreated)$/);
    kafka.topicShape = topicShape;
    log.append(0, 5);
    await until('looked again', () => relay.status().partitions[0]?.code === 'topic-recreated');
    expect((await readAll(topic))[0]!.map(({ sequence }) => sequence)).toEqual([21, 22, 23, 24, 25]);
  });

  test('when a broker has made it, with its own number of partitions', async () => {
    const { log, topic, relay } = await mirrored(2, 20);
    await recreate(topic, 1);
    expect(await whyStopped(relay)).toEqual({
      code: 'topic-mismatch',
      why: expect.stringMatching(/has 1 partitions, the ledger 2/),
    });
    await recreate(topic, 2);
    await until('goes on by itself', sent(relay, log));
    await until('relaying', () => relay.status().counts.relaying === 2);
    await expectExactly(log, topic);
  });
});

describe('a partition that lost its end stops the relay', () => {
  test('when it ends before what it had confirmed', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    await relay.stop();
    log.append(0, 10);
    log.setConfirmed(0, 25);
    const stopped = {
      code: 'kafka-lost',
      why: expect.stringMatching(/ends at sequence 20.*confirmed up to 25/),
    };
    expect(await whyStopped(relayOf(log, topic))).toEqual(stopped);
  });

  test('when it went on behind what it lost', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    await relay.stop();
    log.append(0, 10);
    await sendTo(topic, log.events(0).slice(25).map(toRecord));
    const stopped = { code: 'kafka-lost', why: expect.stringMatching(/event 30 at offset 24/) };
    expect(await whyStopped(relayOf(log, topic))).toEqual(stopped);
  });
});

describe('when the log went back under a running relay, nothing of the new past is sent', () => {
  test('while Kafka is ahead', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    log.goBack(0, 10);
    expect((await whyStopped(relay)).code).toBe('kafka-ahead');
    await expectLast(topic, 20);
  });

  test('when it has other events under the same numbers', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    log.goBack(0, 10);
    log.append(0, 30);
    expect((await whyStopped(relay)).code).toBe('other-history');
    await expectLast(topic, 20);
  });

  test('also when the feed would still answer from memory', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    const former = [...log.events(0)];
    log.read = async (_, after, limit) => former.slice(after, after + limit);
    log.goBack(0, 10);
    log.append(0, 10);
    expect((await whyStopped(relay)).code).toBe('other-history');
    await expectLast(topic, 20);
  });

  test('also when a batch of the former past got no answer', async () => {
    const network = new FaultyNetwork();
    networks.push(network);
    const faulty = testKafka({ socketFactory: network.factory, requestTimeoutMs: 300 });
    const { log, topic, relay } = await mirrored(1, 20, { kafka: faulty, leaseSeconds: 5 });
    network.down = true;
    network.cut();
    log.append(0, 10);
    await until('behind', () => relay.status().state === 'behind');
    log.goBack(0, 20);
    log.append(0, 3);
    network.down = false;
    await until('sent', () => relay.status().partitions[0]?.sent === 23);
    await expectExactly(log, topic);
    await relay.stop();
    await faulty.close();
  });

  test('and it goes on when Kafka has nothing that the log has not', async () => {
    const { log, topic, relay } = await mirrored(1, 20);
    log.goBack(0, 20);
    log.append(0, 5);
    await until('sent', sent(relay, log));
    await expectExactly(log, topic);
  });
});

test('the topic is held against the log without a relay, record by record, and nothing is changed', async () => {
  const { log, topic, relay } = await mirrored(4, 20);
  await relay.stop();
  log.restore(0, 18);
  log.restore(1, 18);
  log.append(1, 2);
  log.append(2, 5);
  const [eleventh] = await log.readTable(3, 10, 1);
  await sendTo(topic, [toRecord(eleventh!)], 3); // a repetition, as a paused relay makes them
  await sendTo(topic, [{ key: 'k', value: Buffer.from('{}'), headers: {} }], 3);
  const heads = [18, 20, 25, 20];
  const reports = [];
  for await (const report of compareTopic({ kafka, topic, feed: log, heads })) reports.push(report);
  const fine = { records: 20, last: 20, behind: 0, unchecked: 0, moreFaults: 0, faults: [] };
  const not = (sequence: number, what: string) => `event ${sequence} at offset ${sequence - 1} is ${what}`;
  const another = 'another one than in the log';
  expect(reports).toEqual([
    { ...fine, partition: 0, faults: [not(19, 'not in the log'), not(20, 'not in the log')] },
    { ...fine, partition: 1, faults: [not(19, another), not(20, another)] },
    { ...fine, partition: 2, behind: 5 },
    { ...fine, partition: 3, records: 22, faults: ["the record at offset 21 is none of the relay's"] },
  ]);
  await expectLast(topic, 20);
});

async function sendTo(topic: string, records: OutgoingRecord[], partition = 0): Promise<void> {
  const producer = await kafka.producer(topic, partition);
  await producer.send(records);
  await producer.close();
}

async function expectLast(topic: string, sequence: number): Promise<void> {
  expect((await readAll(topic))[0]!.at(-1)?.sequence).toBe(sequence);
}
