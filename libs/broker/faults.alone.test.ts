import { type KafkaPort, ProducerLost, Relay, type RelayOptions } from './index.js';
import { toRecord } from './record.js';
import { FaultyNetwork } from './testing/faulty-network.js';
import { createTopic, newTopic, readAll, testKafka, until } from './testing/kafka.js';
import { MemoryLog } from './testing/memory-log.js';

const networks: FaultyNetwork[] = [];
const relays: Relay[] = [];
const ports: KafkaPort[] = [];

/** A relay whose way to Kafka can be broken. A lost answer costs it 300 ms. */
function faultyRelay(log: MemoryLog, topic: string, options: Partial<RelayOptions> = {}) {
  const network = new FaultyNetwork();
  const kafka = testKafka({ socketFactory: network.factory, requestTimeoutMs: 300, connectTimeoutMs: 500 });
  let resends = 0;
  const hooks = {
    onResend: () => {
      resends++;
    },
  };
  const relay = new Relay({ feed: log, leases: log, kafka, topic, leaseSeconds: 5, hooks, ...options });
  networks.push(network);
  relays.push(relay);
  ports.push(kafka);
  relay.start();
  return { network, relay, resends: () => resends };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop(1_000)));
  await Promise.all(ports.splice(0).map((port) => port.close()));
  for (const network of networks.splice(0)) network.close();
});

async function expectExactly(log: MemoryLog, topic: string) {
  const seen = await readAll(topic);
  for (let partition = 0; partition < log.partitions; partition++) {
    expect(seen[partition]!.map(({ sequence }) => sequence)).toEqual(
      log.events(partition).map(({ sequence }) => sequence),
    );
    for (const [index, event] of log.events(partition).entries()) {
      expect(seen[partition]![index]!.value.equals(event.bytes)).toBe(true);
    }
  }
}

/** Appends in small steps, so that every moment of a send has its chance to be hit. */
async function appendSlowly(log: MemoryLog, until: () => boolean) {
  while (!until()) {
    for (let partition = 0; partition < log.partitions; partition++) log.append(partition, 3);
    await pause(4);
  }
}

describe('nothing is lost, doubled or reordered when', () => {
  // Short: kafkajs's own retry gets an answer. Long: its retries are used up, and the relay sends again.
  test('answers are swallowed, for a moment or until kafkajs gives up', async () => {
    await Promise.all([swallowing(150, 12), swallowing(900, 6)]);
  });

  async function swallowing(swallowMs: number, faults: number) {
    const log = new MemoryLog(4);
    const topic = newTopic();
    const { network, relay, resends } = faultyRelay(log, topic);
    await until('relaying', () => relay.status().state === 'relaying');
    let over = false;
    const writing = appendSlowly(log, () => over);
    for (let fault = 0; fault < faults; fault++) {
      await pause(Math.random() * 60);
      network.swallowing = true;
      await pause(swallowMs);
      network.swallowing = false;
      if (fault % 2 === 1) network.cut();
      await pause(300);
    }
    over = true;
    await writing;
    const all = () =>
      relay.status().partitions.every(({ sent, partition }) => sent === log.events(partition).length);
    await until('all sent', all);
    await expectExactly(log, topic);
    if (swallowMs > 600) expect(resends()).toBeGreaterThan(0);
  }

  test('connections are cut again and again', async () => {
    const log = new MemoryLog(4);
    const topic = newTopic();
    const { network, relay } = faultyRelay(log, topic);
    await until('relaying', () => relay.status().state === 'relaying');
    let over = false;
    const writing = appendSlowly(log, () => over);
    for (let fault = 0; fault < 40; fault++) {
      await pause(Math.random() * 150);
      network.cut();
    }
    over = true;
    await writing;
    const all = () =>
      relay.status().partitions.every(({ sent, partition }) => sent === log.events(partition).length);
    await until('all sent', all);
    await expectExactly(log, topic);
  });

  test('Kafka is away for a while: the relay is behind, then goes on by itself', async () => {
    const log = new MemoryLog(2);
    const topic = newTopic();
    const { network, relay } = faultyRelay(log, topic, { leaseSeconds: 2 });
    await until('relaying', () => relay.status().counts.relaying === 2);
    network.down = true;
    network.cut();
    log.append(0, 600);
    log.append(1, 600);
    const troubled = () => relay.status().partitions.every(({ state, why }) => state === 'behind' && why);
    await until('behind', troubled);
    expect(relay.status().partitions[0]?.why).toMatch(/Kafka/);
    await pause(2_500); // longer than the lease, which is kept
    expect(log.holders()).not.toContain('');
    network.down = false;
    await until('all sent', () => relay.status().partitions.every(({ sent }) => sent === 600), 15_000);
    await expectExactly(log, topic);
  });

  test('Kafka is away at the start', async () => {
    const log = new MemoryLog(1);
    const topic = newTopic();
    const network = new FaultyNetwork();
    networks.push(network);
    network.down = true;
    const kafka = testKafka({ socketFactory: network.factory, requestTimeoutMs: 300, connectTimeoutMs: 500 });
    ports.push(kafka);
    const relay = new Relay({ feed: log, leases: log, kafka, topic });
    relays.push(relay);
    relay.start();
    log.append(0, 5);
    await until('behind', () => relay.status().state === 'behind');
    network.down = false;
    await until('all sent', () => relay.status().partitions[0]?.sent === 5);
    await expectExactly(log, topic);
  });

  test('the log is away for a while', async () => {
    const log = new MemoryLog(1);
    const topic = newTopic();
    const { relay } = faultyRelay(log, topic);
    await until('relaying', () => relay.status().state === 'relaying');
    log.onRead = () => {
      throw new Error('the database is away');
    };
    log.append(0, 5);
    await until('behind', () => relay.status().state === 'behind');
    log.onRead = () => {};
    await until('all sent', () => relay.status().partitions[0]?.sent === 5);
    await expectExactly(log, topic);
  });
});

test('a producer with an unanswered batch takes that one again, and no other', async () => {
  const topic = newTopic();
  await createTopic(topic, 1);
  const log = new MemoryLog(1);
  log.append(0, 6);
  const [one, other] = [log.events(0).slice(0, 4).map(toRecord), log.events(0).slice(4).map(toRecord)];
  const network = new FaultyNetwork();
  networks.push(network);
  const kafka = testKafka({ socketFactory: network.factory, requestTimeoutMs: 300 });
  ports.push(kafka);
  const producer = await kafka.producer(topic, 0);
  network.swallowing = true;
  await expect(producer.send(one)).rejects.not.toBeInstanceOf(ProducerLost);
  network.swallowing = false;
  await expect(producer.send(other)).rejects.toBeInstanceOf(ProducerLost);
  expect(await producer.send(one)).toBe(0);
  expect(await producer.send(other)).toBe(4);
  await producer.close();
  await expectExactly(log, topic);
});

describe('stopping takes bounded time', () => {
  test('with nothing open: at once, and the leases are given back', async () => {
    const log = new MemoryLog(4);
    const { relay } = faultyRelay(log, newTopic());
    await until('relaying', () => relay.status().counts.relaying === 4);
    const begun = performance.now();
    await relay.stop();
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(log.releases).toBe(4);
  });

  test('with an unanswered batch: its lease runs out, because Kafka may still take the batch', async () => {
    const log = new MemoryLog(1);
    const topic = newTopic();
    const { network, relay } = faultyRelay(log, topic, { leaseSeconds: 2 });
    await until('relaying', () => relay.status().state === 'relaying');
    network.swallowing = true;
    log.append(0, 5);
    await until('behind', () => relay.status().state === 'behind');
    const begun = performance.now();
    await relay.stop(2_000);
    expect(performance.now() - begun).toBeLessThan(2_500);
    expect(log.releases).toBe(0);
    network.swallowing = false;
    const { relay: next } = faultyRelay(log, topic, { leaseSeconds: 2 });
    await until('taken over', () => next.status().partitions[0]?.sent === 5);
    await expectExactly(log, topic);
  });
});
