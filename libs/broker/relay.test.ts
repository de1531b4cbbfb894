import { CONTENT_TYPE, HEADERS, type KafkaPort, Relay, type RelayOptions } from './index.js';
import { toRecord } from './record.js';
import {
  bareKafka,
  createTopic,
  deleteRecords,
  newTopic,
  readAll,
  testKafka,
  until,
} from './testing/kafka.js';
import { MemoryLog } from './testing/memory-log.js';

const running: Relay[] = [];
const ports: KafkaPort[] = [];

function relayOf(log: MemoryLog, topic: string, options: Partial<RelayOptions> = {}): Relay {
  const kafka = options.kafka ?? testKafka();
  ports.push(kafka);
  const relay = new Relay({
    feed: log,
    leases: log,
    kafka,
    topic,
    leaseSeconds: 2,
    lookAgainMs: 300,
    ...options,
  });
  running.push(relay);
  relay.start();
  return relay;
}

const sentUpTo = (relay: Relay, partition: number, sequence: number) => () =>
  (relay.status().partitions[partition]?.sent ?? 0) >= sequence;

const whyStopped = async (relay: Relay, partition = 0): Promise<string> => {
  await until('stopped', () => relay.status().partitions[partition]?.state === 'stopped');
  return relay.status().partitions[partition]?.why ?? '';
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((relay) => relay.stop()));
  await Promise.all(ports.splice(0).map((port) => port.close()));
});

describe('what reaches Kafka', () => {
  test('is every event, in order, dense, byte for byte, with key and headers', async () => {
    const log = new MemoryLog(3);
    const topic = newTopic();
    for (const partition of [0, 1, 2]) log.append(partition, 1_200);
    const relay = relayOf(log, topic);
    await until('all sent', () => [0, 1, 2].every((each) => sentUpTo(relay, each, 1_200)()));
    const seen = await readAll(topic);
    for (const partition of [0, 1, 2]) {
      expect(seen[partition]?.map(({ sequence }) => sequence)).toEqual(
        log.events(partition).map(({ sequence }) => sequence),
      );
      for (const [index, event] of log.events(partition).entries()) {
        const record = seen[partition]![index]!;
        expect(record.value.equals(event.bytes)).toBe(true);
        expect(record.key).toBe(event.scopeKey);
        expect(record.headers).toEqual({
          [HEADERS.contentType]: CONTENT_TYPE,
          [HEADERS.id]: `${partition}:${event.sequence}`,
          [HEADERS.type]: event.type,
          [HEADERS.sequence]: String(event.sequence),
          [HEADERS.epoch]: String(event.epoch),
        });
      }
    }
  });

  test('comes in batches that Kafka takes, however large the events are', async () => {
    const log = new MemoryLog(1);
    const topic = newTopic();
    await createTopic(topic, 1, { 'retention.ms': '-1', 'max.message.bytes': '60000' });
    log.append(0, 40, 20_000);
    const relay = relayOf(log, topic);
    await until('all sent', sentUpTo(relay, 0, 40));
    expect((await readAll(topic))[0]).toHaveLength(40);
  });

  test('is told to the metrics, and confirmed to Postgres in the background', async () => {
    const log = new MemoryLog(1);
    let sent = 0;
    const hooks = {
      onSent: (_: number, count: number) => {
        sent += count;
      },
    };
    const relay = relayOf(log, newTopic(), { hooks });
    await until('relaying', () => relay.status().state === 'relaying');
    log.append(0, 10);
    await until('confirmed', () => log.confirmed(0) === 10, 5_000);
    expect(sent).toBe(10);
    expect(relay.status()).toEqual({
      state: 'relaying',
      counts: { standby: 0, relaying: 1, behind: 0, stopped: 0 },
      warnings: [],
      partitions: [{ partition: 0, state: 'relaying', sent: 10, head: 10 }],
    });
  });
});

describe('taking over', () => {
  test('goes on after the tail of the partition when Postgres knows less', async () => {
    const log = new MemoryLog(1);
    const topic = newTopic();
    log.remembers = false;
    log.append(0, 700);
    const first = relayOf(log, topic);
    await until('sent', sentUpTo(first, 0, 700));
    await first.stop();
    expect(log.confirmed(0)).toBe(0);
    log.append(0, 50);
    const second = relayOf(log, topic);
    await until('sent', sentUpTo(second, 0, 750));
    const seen = (await readAll(topic))[0]!.map(({ sequence }) => sequence);
    expect(seen).toEqual(log.events(0).map(({ sequence }) => sequence));
  });

  test('of 16 partitions reads all tails in well under 3 s', async () => {
    const topic = newTopic();
    await createTopic(topic, 16, { 'retention.ms': '-1' });
    const log = new MemoryLog(16);
    for (let partition = 0; partition < 16; partition++) log.append(partition, 600);
    const first = relayOf(log, topic);
    await until('sent', () => first.status().partitions.every(({ sent }) => sent === 600));
    const kafka = testKafka();
    ports.push(kafka);
    const begun = performance.now();
    const tails = await Promise.all(Array.from({ length: 16 }, (_, each) => kafka.tail(topic, each, 1)));
    const took = performance.now() - begun;
    expect(tails.map((tail) => tail.records.map((each) => each.headers[HEADERS.sequence]))).toEqual(
      Array.from({ length: 16 }, () => ['600']),
    );
    expect(took).toBeLessThan(1_500);
  });

  test('one of two relays has each partition, and the other gets them when it stops', async () => {
    const log = new MemoryLog(4);
    const topic = newTopic();
    const one = relayOf(log, topic, { holder: 'one' });
    const two = relayOf(log, topic, { holder: 'two' });
    const held = () => log.holders().every((holder) => holder !== '');
    await until('all held', held);
    for (let round = 0; round < 10; round++) {
      for (let partition = 0; partition < 4; partition++) log.append(partition, 20);
      const states = [one, two].map((relay) => relay.status().partitions.map(({ state }) => state));
      for (let partition = 0; partition < 4; partition++) {
        expect(states.filter((each) => each[partition] === 'relaying').length).toBeLessThanOrEqual(1);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await one.stop();
    await until('two has all', () => log.holders().every((holder) => holder === 'two'), 10_000);
    for (let partition = 0; partition < 4; partition++) log.append(partition, 5);
    await until('sent', () => two.status().partitions.every(({ sent }) => sent === 205));
    for (const records of await readAll(topic)) {
      expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 205 }, (_, i) => i + 1));
    }
  });

  test('a relay that has a part of the partitions says which, and that it relays', async () => {
    const log = new MemoryLog(4);
    for (const partition of [0, 2, 3]) await log.acquire(partition, 'another', 60);
    const relay = relayOf(log, newTopic());
    await until('relaying', () => relay.status().counts.relaying === 1);
    expect(relay.status()).toMatchObject({
      state: 'relaying',
      counts: { standby: 3, relaying: 1, behind: 0, stopped: 0 },
    });
    expect(relay.status().partitions.map(({ state }) => state)).toEqual([
      'standby',
      'relaying',
      'standby',
      'standby',
    ]);
    log.expire(1);
    expect(await log.acquire(1, 'another', 60)).toBeDefined();
    await until('nothing left', () => relay.status().state === 'standby');
  });

  test('a relay that was stopped between reading and sending, past its lease, sends nothing more', async () => {
    const log = new MemoryLog(1);
    const topic = newTopic();
    const old = relayOf(log, topic, { holder: 'old', leaseSeconds: 1 });
    log.append(0, 5);
    await until('relaying', () => sentUpTo(old, 0, 5)() && old.status().state === 'relaying');
    log.onRead = () => {
      log.onRead = () => {};
      // As SIGSTOP does: nothing runs, no timer fires, and the events are in hand already.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    };
    log.append(0, 5);
    await until('standby', () => old.status().state === 'standby');
    expect(await log.acquire(0, 'new', 30)).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await readAll(topic))[0]).toHaveLength(5);
    expect(old.status().state).toBe('standby');
  });

  test('a relay whose lease was taken stops at the next renewal, and waits', async () => {
    const log = new MemoryLog(1);
    const old = relayOf(log, newTopic(), { holder: 'old', leaseSeconds: 1 });
    await until('relaying', () => old.status().state === 'relaying');
    log.expire(0);
    expect(await log.acquire(0, 'new', 1)).toBeDefined();
    await until('standby', () => old.status().state === 'standby', 3_000);
    await until('taken back when the other one is dead', () => log.holders()[0] === 'old', 6_000);
  });

  test('looks behind what a paused relay repeated after newer events', async () => {
    const log = new MemoryLog(1);
    const topic = newTopic();
    log.append(0, 1_000);
    const first = relayOf(log, topic);
    await until('sent', sentUpTo(first, 0, 1_000));
    await first.stop();
    const zombie = await ports[0]!.producer(topic, 0);
    await zombie.send(log.events(0).slice(100, 400).map(toRecord));
    await zombie.close();
    log.append(0, 10);
    const second = relayOf(log, topic);
    await until('sent', sentUpTo(second, 0, 1_010));
    const seen = (await readAll(topic))[0]!.map(({ sequence }) => sequence);
    expect(seen.slice(1_300)).toEqual([1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010]);
  });
});

describe('stops, and says what to do, when', () => {
  async function mirrored(count: number) {
    const log = new MemoryLog(1);
    const topic = newTopic();
    log.append(0, count);
    const relay = relayOf(log, topic);
    await until('sent', sentUpTo(relay, 0, count));
    await relay.stop();
    return { log, topic };
  }

  test('Postgres was restored to before what Kafka has', async () => {
    const { log, topic } = await mirrored(20);
    log.restore(0, 10);
    expect(await whyStopped(relayOf(log, topic))).toMatch(/ahead of Postgres.*sequence 20.*restored/);
  });

  test('Postgres was restored and went on with other events', async () => {
    const { log, topic } = await mirrored(20);
    log.restore(0, 10);
    log.append(0, 30);
    expect(await whyStopped(relayOf(log, topic))).toMatch(/another event 20 than Postgres.*restored/);
    expect((await readAll(topic))[0]).toHaveLength(20);
  });

  test('the partition is empty but was not always', async () => {
    const { log, topic } = await mirrored(20);
    log.setConfirmed(0, 0);
    await deleteRecords(topic);
    expect(await whyStopped(relayOf(log, topic))).toMatch(/empty but its end offset is 20/);
  });

  test('somebody else writes to the topic', async () => {
    const topic = newTopic();
    await createTopic(topic, 1, { 'retention.ms': '-1' });
    const producer = bareKafka().producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'hello' }] });
    await producer.disconnect();
    const log = new MemoryLog(1);
    log.append(0, 1);
    expect(await whyStopped(relayOf(log, topic))).toMatch(/no relay wrote/);
  });

  test.each([
    ['another number of partitions', 2, { 'retention.ms': '-1' }, /has 2 partitions, the ledger 1/],
    ['a retention that forgets', 1, { 'retention.ms': '1000' }, /retention\.ms=1000.*kafka-configs\.sh/],
    ['compaction', 1, { 'retention.ms': '-1', 'cleanup.policy': 'compact' }, /cleanup\.policy=compact/],
  ])('the topic has %s', async (_, partitions, config: Record<string, string>, message) => {
    const topic = newTopic();
    await createTopic(topic, partitions, config);
    const log = new MemoryLog(1);
    log.append(0, 3);
    const relay = relayOf(log, topic);
    expect(await whyStopped(relay)).toMatch(message);
    expect(relay.status().state).toBe('stopped');
    expect(log.holders()).toEqual(['']);
  });

  test.each([
    ['a new topic', async () => ({ log: new MemoryLog(1), topic: newTopic() })],
    ['a topic that ends within it', () => mirrored(20)],
  ])('the next events are archived, for %s', async (_, before) => {
    const { log, topic } = await before();
    log.onRead = () => {
      throw Object.assign(new Error('They are in a.gz.'), { code: 'archived' });
    };
    expect(await whyStopped(relayOf(log, topic))).toMatch(
      /^Kafka's partition 0 is behind the archive\. They are in a\.gz\. .*Restore the topic/,
    );
  });

  test('the log has a hole', async () => {
    const log = new MemoryLog(1);
    log.append(0, 5);
    (log.events(0) as unknown[]).splice(2, 1);
    expect(await whyStopped(relayOf(log, newTopic()))).toMatch(/has no event 3/);
  });
});
