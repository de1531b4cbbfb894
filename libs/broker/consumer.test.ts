import { type Follower, followKafka, type Gap, type KafkaPort, type LedgerRecord } from './index.js';
import { toRecord } from './record.js';
import { FaultyNetwork } from './testing/faulty-network.js';
import { brokers, createTopic, newTopic, testKafka, until } from './testing/kafka.js';
import { MemoryLog } from './testing/memory-log.js';

const followers: Follower[] = [];
const ports: KafkaPort[] = [];
const networks: FaultyNetwork[] = [];

afterEach(async () => {
  await Promise.all(followers.splice(0).map((follower) => follower.stop()));
  await Promise.all(ports.splice(0).map((port) => port.close()));
  for (const network of networks.splice(0)) network.close();
});

/** A topic that holds these sequences of one partition, in this order. */
async function topicOf(...runs: [from: number, to: number][]) {
  const topic = newTopic();
  await createTopic(topic, 1, { 'retention.ms': '-1' });
  const log = new MemoryLog(1);
  log.append(0, 2_000);
  const kafka = testKafka();
  ports.push(kafka);
  const write = async (...more: [number, number][]) => {
    const producer = await kafka.producer(topic, 0);
    for (const [from, to] of more)
      await producer.send(
        log
          .events(0)
          .slice(from - 1, to)
          .map(toRecord),
      );
    await producer.close();
  };
  await write(...runs);
  return { topic, log, write };
}

function follow(topic: string, options: Partial<Parameters<typeof followKafka>[0]> = {}) {
  const events: LedgerRecord[] = [];
  const gaps: Gap[] = [];
  const follower = followKafka({
    brokers: brokers(),
    requestTimeoutMs: 2_000,
    topic,
    from: 'beginning',
    onEvents: (some) => void events.push(...some),
    onGap: (gap) => void gaps.push(gap),
    ...options,
  });
  followers.push(follower);
  return { follower, events, gaps, sequences: () => events.map(({ sequence }) => sequence) };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('delivers every event once, as it was stored', async () => {
  const { topic, log } = await topicOf([1, 400], [401, 700]);
  const { events, gaps, follower } = follow(topic);
  await until('all', () => events.length === 700);
  expect(gaps).toEqual([]);
  expect(follower.positions()).toEqual(new Map([[0, 700]]));
  for (const [index, event] of log.events(0).slice(0, 700).entries()) {
    const { scopeKey: key, ...rest } = event;
    expect(events[index]).toEqual({ ...rest, key });
  }
});

test('drops what a paused relay repeated after newer events', async () => {
  const { topic } = await topicOf([1, 100], [51, 100], [101, 150], [1, 20], [151, 160]);
  const { sequences, gaps } = follow(topic);
  await until('all', () => sequences().at(-1) === 160);
  expect(sequences()).toEqual(numbers(1, 160));
  expect(gaps).toEqual([]);
});

test('says loudly what is missing', async () => {
  const { topic } = await topicOf([3, 10], [15, 20]);
  const { sequences, gaps } = follow(topic);
  await until('all', () => sequences().at(-1) === 20);
  expect(gaps).toEqual([
    { partition: 0, after: 0, found: 3 },
    { partition: 0, after: 10, found: 15 },
  ]);
});

test('begins after a known position, also where repetitions have moved it', async () => {
  const { topic } = await topicOf([1, 100], [1, 100], [101, 200]);
  const { sequences, gaps } = follow(topic, { from: new Map([[0, 120]]) });
  await until('all', () => sequences().at(-1) === 200);
  expect(sequences()).toEqual(numbers(121, 200));
  expect(gaps).toEqual([]);
});

test('begins at the end', async () => {
  const { topic, write } = await topicOf([1, 100]);
  const { sequences, gaps, follower } = follow(topic, { from: 'end' });
  await follower.ready;
  await write([101, 110]);
  await until('all', () => sequences().at(-1) === 110);
  expect(sequences()).toEqual(numbers(101, 110));
  expect(gaps).toEqual([]);
});

test('delivers again what the receiver could not take', async () => {
  const { topic } = await topicOf([1, 50]);
  let failures = 0;
  const taken: number[] = [];
  follow(topic, {
    onEvents: async (events) => {
      if (failures++ < 2) throw new Error('not now');
      taken.push(...events.map(({ sequence }) => sequence));
    },
  });
  await until('all', () => taken.length >= 50, 30_000);
  expect(taken).toEqual(numbers(1, 50));
});

test('a group goes on where it stood, without calling others’ work a gap', async () => {
  const { topic, write } = await topicOf([1, 50]);
  const groupId = `group-of-${topic}`;
  const one = follow(topic, { groupId });
  await until('first half', () => one.sequences().length === 50);
  await one.follower.stop();
  await write([51, 80]);
  const two = follow(topic, { groupId });
  await until('second half', () => two.sequences().length === 30);
  expect(two.sequences()).toEqual(numbers(51, 80));
  expect([...one.gaps, ...two.gaps]).toEqual([]);
});

test('a consumer that hangs is replaced where it stood', async () => {
  const { topic, write } = await topicOf([1, 50]);
  const network = new FaultyNetwork();
  networks.push(network);
  const said: string[] = [];
  // The watchdog's own questions go through; the consumer's fetches hang, as in kafkajs#659.
  const { sequences, gaps, follower } = follow(topic, {
    socketFactory: network.factory,
    requestTimeoutMs: 60_000,
    stuckAfterMs: 1_000,
    log: (_, line) => void said.push(line),
  });
  await until('first', () => sequences().length === 50);
  network.muteOpen();
  await write([51, 90]);
  await until('the rest', () => sequences().at(-1) === 90, 30_000);
  expect(sequences()).toEqual(numbers(1, 90));
  expect(gaps).toEqual([]);
  expect(said.join('\n')).toMatch(/nothing came from partition 0/);
  await follower.stop();
});
