import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { archive } from '#archive';
import {
  type EventSource,
  type FollowedEvent,
  Follower,
  FollowerStopped,
  type FollowOptions,
  feedSource,
  LedgerClient,
  type LedgerProblem,
  Stalled,
} from '#client';
import { kafkaSource } from '#client/kafka';
import { openPool } from '#postgres';
import { openReplica, running, startFollowing } from '../support/client.js';
import { startProxy } from '../support/proxy.js';
import { freshTopic, type Service, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';
import { createTopic } from '../support/stack/topics.js';
import { within } from '../support/until.js';

const { until } = within(20_000);

const brokers = (process.env.TEST_KAFKA_BROKERS ?? '').split(',');
const kafkaOf = (...of: string[]) => new Kafka({ brokers: of, logLevel: logLevel.NOTHING });
const kafka = kafkaOf(...brokers);
const admin: Admin = kafka.admin();
const topic = freshTopic();
let service: Service;
let ledger: LedgerClient;
beforeAll(async () => {
  await admin.connect();
  service = await startService({ kafkaBrokers: brokers.join(','), topic });
  ledger = new LedgerClient({ url: service.url });
  await stopDeaf();
  await stopStuck();
});
afterAll(() => admin.disconnect());

/** Starts sessions of as many new users: an event each. */
const write = (count: number, at = ledger) =>
  Promise.all(
    Array.from({ length: count }, () =>
      at.call('startSession', { body: { userId: newUser(), owner: cloudDev } }),
    ),
  );

const follow = (options: Partial<FollowOptions> = {}) =>
  startFollowing({ ledger, from: 'present', lookMs: 300, ...options });

/** How long it takes to stop what takes its time for that: it does so while the tests run. */
const slowStops: Record<'deaf' | 'stuck', Promise<number>> = {
  deaf: new Promise(() => {}),
  stuck: new Promise(() => {}),
};
let stuck: ReturnType<typeof follow>;

/** A source that gives nothing, and does not hear when it is told to end. */
async function stopDeaf(): Promise<void> {
  const hanging: EventSource = { read: () => new Promise(() => {}), check: () => new Promise(() => {}) };
  const following = follow({ source: hanging });
  const from = await begun(following);
  await write(20);
  await until(() => following.events.length === 20);
  await expectWhole(following.events, from);
  slowStops.deaf = timeOfStop(following);
}

/** A handler that never returns. */
async function stopStuck(): Promise<void> {
  stuck = follow({ onEvents: () => new Promise(() => {}) });
  await begun(stuck);
  await write(1);
  await pause(200);
  slowStops.stuck = timeOfStop(stuck);
}

async function timeOfStop({ follower }: ReturnType<typeof follow>): Promise<number> {
  running.delete(follower);
  const began = performance.now();
  await follower.stop();
  return performance.now() - began;
}

const begun = async ({ follower }: { follower: Follower }) => {
  await until(() => follower.positions.size > 0);
  return new Map(follower.positions);
};

/** Writes until the source itself gives something, which the feed would give otherwise. */
async function sourceGives({ counts }: Follower, at = ledger) {
  const given = () => counts.handled - counts.healed;
  const before = given();
  for (let writes = 0; given() === before; writes++) {
    if (writes > 100) throw new Error('the source gives nothing');
    await write(1, at);
    await pause(200);
  }
}

/** Each partition's events from a position on, once and in order, up to the ledger's heads. */
async function expectWhole(events: readonly FollowedEvent[], from: ReadonlyMap<number, number>, at = ledger) {
  const { heads } = (await at.call('stats', {})).ledger!;
  for (const [partition, head] of heads.entries()) {
    const after = from.get(partition) as number;
    const mine = events.filter((event) => event.partition === partition).map(({ sequence }) => sequence);
    expect(mine).toEqual(Array.from({ length: head - after }, (_, index) => after + 1 + index));
  }
}

describe('a topic that is followed, and then', () => {
  const anew = async (name: string, numPartitions: number) => {
    await admin.deleteTopics({ topics: [name] });
    for (let gone = false; !gone; ) {
      await pause(50);
      gone = await createTopic(admin, name, numPartitions);
    }
  };
  test.each([
    ['is made anew', 'topic-recreated', (name: string) => anew(name, 16)],
    ['is made anew with other partitions', 'partitions-changed', (name: string) => anew(name, 3)],
    [
      'gets more partitions',
      'partitions-changed',
      (name: string) => admin.createPartitions({ topicPartitions: [{ topic: name, count: 17 }] }),
    ],
  ])('%s stops the follower', async (_, code, change) => {
    const mine = freshTopic();
    const of = await startService({ kafkaBrokers: brokers.join(','), topic: mine });
    const at = new LedgerClient({ url: of.url });
    const source = kafkaSource({ kafka, topic: mine });
    const following = follow({ ledger: at, source, from: 'beginning', lookMs: 1_000 });
    await sourceGives(following.follower, at);
    const count = (await at.call('stats', {})).ledger!.events;
    await until(() => following.events.length === count);
    await of.stop(); // its relay is not what is tested
    await change(mine);
    await of.restart();
    expect(await following.follower.done).toMatchObject({ code });
    expect(following.stops).toHaveLength(1);
    expect(following.stops[0]?.message).toContain(mine);
    await write(5, at);
    expect(following.events).toHaveLength(count);
    expect(new Set(following.events.map(({ document }) => document.id)).size).toBe(count);
    await of.stop();
  });
});

test('Kafka is not taken for a new topic because it answers late', async () => {
  let next: 'prompt' | 'late' | 'answered' | 'taken' = 'prompt';
  const slow: typeof kafka = Object.assign(Object.create(kafka), {
    admin: () => {
      const one = kafka.admin();
      return Object.assign(Object.create(one), {
        async fetchTopicOffsets(name: string) {
          const bounds = await one.fetchTopicOffsets(name);
          if (next === 'answered') next = 'taken';
          if (next !== 'late') return bounds;
          await sourceGives(following.follower); // the answer is old by then
          next = 'answered';
          return bounds;
        },
      });
    },
  });
  const following = follow({ source: kafkaSource({ kafka: slow, topic }), lookMs: 1_000 });
  await begun(following);
  await sourceGives(following.follower);
  next = 'late';
  await until(() => next === 'taken' || following.stops.length > 0, 30_000);
  expect(following.stops).toEqual([]);
}, 60_000);

describe('a ledger that another one has taken the place of', () => {
  const sources: [string, (at: LedgerClient, mine: string) => EventSource][] = [
    ['the feed', (at) => feedSource(at)],
    ['Kafka', (_, mine) => kafkaSource({ kafka, topic: mine })],
  ];
  test.each(sources)('is not followed any more, from %s', async (_, sourceOf) => {
    const mine = freshTopic();
    const old = await startService({ kafkaBrokers: brokers.join(','), topic: mine });
    const at = new LedgerClient({ url: old.url });
    await write(3, at);
    const following = follow({ ledger: at, source: sourceOf(at, mine), from: 'beginning', lookMs: 1_000 });
    await until(() => following.events.length === 3);
    const replica = await openReplica({ ledger: at, lookMs: 200 });
    await old.stop();
    const next = await startService({ env: { PORT: new URL(old.url).port } });
    await write(30, at);
    expect(await following.follower.done).toMatchObject({ code: 'another-ledger' });
    expect(following.events).toHaveLength(3);
    await until(() => replica.staleness === Number.POSITIVE_INFINITY);
    expect(() => replica.current({ userId: 'ada' })).toThrow('another-ledger');
    await replica.close();

    // Nor by one that starts from what was stored, though the new ledger has come as far.
    const { positions: from, ledgerId } = following.follower;
    const later = follow({ ledger: at, from, ...(ledgerId && { ledgerId }) });
    expect(await later.follower.done).toMatchObject({ code: 'another-ledger' });
    expect(later.events).toEqual([]);
    await next.stop();
  });
});

describe('a source that hangs', () => {
  test('Kafka: what it does not give is read from the feed, and its consumer is opened anew', async () => {
    const [host = '', port] = (brokers[0] as string).split(':');
    const proxy = await startProxy({ target: { host, port: Number(port) }, kafka: true });
    const source = kafkaSource({ kafka: kafkaOf(proxy.address), topic });
    await write(1);
    const following = follow({ source, lookMs: 1_000 });
    const { follower, events, troubles, stops } = following;
    const from = await begun(following);
    const stalls = () => troubles.filter((error) => error instanceof Stalled);
    await sourceGives(follower);

    const before = { ...follower.counts };
    proxy.swallowReplies();
    await write(40);
    await until(() => follower.counts.healed - before.healed >= 39);
    await expectWhole(events, from);
    expect([stalls().length > 0, stops]).toEqual([true, []]);
    expect(String(stalls().at(-1))).toMatch(/partition \d+ is at \d+ and the ledger at \d+/);

    proxy.heal();
    await sourceGives(follower);
    expect(follower.counts.connections).toBeGreaterThan(before.connections);
    const { events: count } = (await ledger.call('stats', {})).ledger!;
    await until(() => [...follower.positions.values()].reduce((sum, one) => sum + one, 0) === count);
    await expectWhole(events, from);
    await follower.stop();
    await proxy.close();
  }, 60_000);

  test('in one partition only: the others go on', async () => {
    const inner = feedSource(ledger);
    const { position } = (await write(1))[0]!;
    const deaf: EventSource = {
      read: (reading) =>
        inner.read({
          ...reading,
          take: (events) => reading.take(events.filter(({ partition }) => partition !== position.partition)),
        }),
    };
    const following = follow({ source: deaf });
    const from = await begun(following);
    await write(60);
    const { heads } = (await ledger.call('stats', {})).ledger!;
    const { follower, events, troubles } = following;
    await until(() => heads.every((head, partition) => follower.positions.get(partition) === head));
    await expectWhole(events, from);
    const partitions = troubles.flatMap((error) => (error instanceof Stalled ? error.partitions : []));
    expect(new Set(partitions.map(({ partition }) => partition))).toEqual(new Set([position.partition]));
    expect(follower.counts.healed).toBe(
      (heads[position.partition] as number) - from.get(position.partition)!,
    );
  });

  test('before it gives anything, and does not hear when it is told to end', async () => {
    expect(await slowStops.deaf).toBeLessThan(8_000);
  });
});

describe('a handler', () => {
  test('that takes longer than looks do is no sign that the source hangs, and runs once at a time', async () => {
    let [calls, most] = [0, 0];
    const seen: FollowedEvent[] = [];
    const following = follow({
      lookMs: 300,
      async onEvents(events) {
        most = Math.max(most, ++calls);
        await pause(1_050);
        seen.push(...events);
        calls -= 1;
      },
    });
    const from = await begun(following);
    const body = { userId: newUser(), owner: cloudDev };
    for (let starts = 0; starts < 2; starts++) await ledger.call('startSession', { body });
    await until(() => seen.length === 3);
    await expectWhole(seen, from);
    expect([most, following.follower.counts.stalls]).toEqual([1, 0]);
  });

  test('that never returns does not keep its follower from stopping, which says so', async () => {
    expect(await slowStops.stuck).toBeLessThan(13_000);
    const { follower, stops } = stuck;
    expect(stops).toMatchObject([{ code: 'handler-stuck' }]);
    expect(await follower.done).toBe(stops[0]);
  }, 20_000);
});

test.each([
  ['maxBatch', 0],
  ['handlerMs', Number.POSITIVE_INFINITY],
  ['retries', 0.5],
  ['lookMs', Number.NaN],
])('%s of %d is refused', (name, value) => {
  const make = () => new Follower({ ledger, from: 'present', onEvents() {}, onStopped() {}, [name]: value });
  expect(make).toThrow(RangeError);
});

test('events that are archived: a follower stops and tells where they are, a replica boots again', async () => {
  const of = await startService({
    kafkaBrokers: brokers.join(','),
    topic: freshTopic(),
    env: { LEDGER_PARTITIONS: '1' },
  });
  const direct = new LedgerClient({ url: of.url });
  const proxy = await startProxy({ target: { host: '127.0.0.1', port: Number(new URL(of.url).port) } });
  const at = new LedgerClient({ url: `http://${proxy.address}`, deadlineMs: 500 });
  await write(2, direct);
  const troubles: unknown[] = [];
  const replica = await openReplica({ ledger: at, onTrouble: (error) => troubles.push(error) });
  await replica.reached({ partition: 0, sequence: 2 });
  proxy.cut();
  const userId = newUser();
  const begin = () => direct.call('startSession', { body: { userId, owner: cloudDev } });
  for (let starts = 0; starts < 5; starts++) await begin();
  const pool = openPool({ url: of.databaseUrl }, 1);
  for (let confirmed = 0; confirmed < 11; await pause(50)) {
    confirmed = (await pool.query('select confirmed::int from ledger.relays')).rows[0]?.confirmed ?? 0;
  }
  await pool.end();
  const directory = await mkdtemp(join(tmpdir(), 'ledger-archive-'));
  const limits = { leastAge: 0, segment: 4 };
  await archive({ url: of.databaseUrl, olderThan: 0, to: directory, limits });
  await of.restart(); // one that has them in memory would still serve them
  const { session, position } = await begin();
  proxy.heal();
  await replica.reached(position, 20_000);
  expect(replica.current({ userId })).toMatchObject({ sessionId: session.sessionId });
  expect(replica.size).toBe(3);
  expect(replica.staleness).toBeLessThan(20_000);
  expect(troubles).toContainEqual(expect.objectContaining({ code: 'archived' }));
  const after = await begin();
  await replica.reached(after.position, 20_000);
  expect(replica.current({ userId })).toMatchObject({ sessionId: after.session.sessionId });

  const { follower, events } = follow({ ledger: at, from: new Map([[0, 2]]) });
  const why = (await follower.done) as FollowerStopped;
  expect(why).toMatchObject({ code: 'archived', name: FollowerStopped.name });
  const told = (why.cause as LedgerProblem).archived;
  expect(told).toMatchObject({
    partition: 0,
    files: [{ first: 1, last: 4 }, expect.anything(), expect.anything()],
  });
  expect(events).toEqual([]);
  const on = follow({ ledger: at, from: new Map([[0, (told?.firstSequence as number) - 1]]) });
  await until(() => on.events.some(({ sequence }) => sequence === after.position.sequence));
  await Promise.all([replica.close(), on.follower.stop()]);
  await proxy.close();
  await of.stop();
  await rm(directory, { recursive: true });
}, 60_000);
