import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import {
  CurrentReplica,
  type EventSource,
  type FollowedEvent,
  type FollowOptions,
  feedSource,
  Gap,
  LedgerClient,
} from '#client';
import { kafkaSource } from '#client/kafka';
import { openReplica, running, startFollowing } from '../support/client.js';
import { startProxy } from '../support/proxy.js';
import { freshDatabase, freshTopic, type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { createTopic } from '../support/stack/topics.js';
import { within } from '../support/until.js';

const { until } = within(15_000);

const topic = freshTopic();
const brokers = (process.env.TEST_KAFKA_BROKERS ?? '').split(',');
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
let service: Service;
let ledger: LedgerClient;
beforeAll(async () => {
  service = await startService({ kafkaBrokers: brokers.join(','), topic });
  ledger = new LedgerClient({ url: service.url });
  await write(20);
});

/** Starts `count` sessions of as many users, superseded `times` times, and tells their events' number. */
async function write(count: number, times = 1) {
  const users = Array.from({ length: count }, newUser);
  for (let round = 0; round <= times; round++) {
    await Promise.all(
      users.map((userId) => ledger.call('startSession', { body: { userId, owner: cloudDev } })),
    );
  }
  return users;
}

const follow = (options: Partial<FollowOptions> = {}) =>
  startFollowing({ ledger, from: 'beginning', ...options });

async function heads(): Promise<Map<number, number>> {
  return new Map((await ledger.call('stats', {})).ledger!.heads.entries());
}

/** Every event of every partition once, in order. */
async function expectWhole(events: readonly FollowedEvent[]) {
  const wanted = await heads();
  for (const [partition, head] of wanted) {
    const mine = events.filter((event) => event.partition === partition).map(({ sequence }) => sequence);
    expect(mine).toEqual(Array.from({ length: head }, (_, index) => index + 1));
  }
}
const total = async () => [...(await heads()).values()].reduce((sum, head) => sum + head, 0);

const sources: Record<string, () => EventSource> = {
  'the feed': () => feedSource(ledger),
  Kafka: () => kafkaSource({ kafka, topic }),
};

describe.each(Object.entries(sources))('following %s', (_, source) => {
  test('delivers every event once and in order, also those that come later', async () => {
    await write(20);
    const { follower, events, stops } = follow({ source: source() });
    await write(20);
    const count = await total();
    await until(() => events.length >= count);
    await expectWhole(events);
    expect([stops, follower.counts]).toMatchObject([[], { handled: count, gaps: 0 }]);
    expect(events[0]).toMatchObject({ type: 'SessionStarted', session: { status: 'active', epoch: 1 } });
  });

  test('goes on from a stored position', async () => {
    const first = follow({ source: source() });
    const count = await total();
    await until(() => first.events.length >= count);
    await first.follower.stop();
    await write(10);
    const second = follow({ source: source(), from: first.follower.positions });
    const more = (await total()) - count;
    await until(() => second.events.length >= more);
    await expectWhole([...first.events, ...second.events]);
  });

  test('begins at the present, when it is told so', async () => {
    await write(5);
    const { follower, events } = follow({ source: source(), from: 'present' });
    await until(() => follower.positions.size > 0);
    const present = new Map(follower.positions);
    expect(present).toEqual(await heads());
    const before = await total();
    await write(20);
    const count = (await total()) - before;
    await until(() => events.length >= count);
    for (const [partition, head] of await heads()) {
      const after = present.get(partition) as number;
      const mine = events.filter((event) => event.partition === partition).map(({ sequence }) => sequence);
      expect(mine).toEqual(Array.from({ length: head - after }, (_, index) => after + 1 + index));
    }
  });

  test('drops what comes again, and reads from the feed what is missing, before it goes on', async () => {
    await write(30);
    const inner = source();
    const holey: EventSource = {
      ...inner,
      read: (reading) =>
        inner.read({
          ...reading,
          // Every fifth event is lost; each batch comes twice.
          take: async (batch) => {
            const some = batch.filter(({ sequence }) => sequence % 5 !== 0);
            await reading.take(some);
            await reading.take(some);
          },
        }),
    };
    const { follower, events, troubles } = follow({ source: holey });
    const count = await total();
    const lastLost = [...(await heads()).values()].filter((head) => head > 0 && head % 5 === 0).length;
    await until(() => events.length >= count - lastLost);
    for (const [partition, head] of await heads()) {
      const mine = events.filter((event) => event.partition === partition).map(({ sequence }) => sequence);
      expect(mine).toEqual(
        Array.from({ length: head - (head > 0 && head % 5 === 0 ? 1 : 0) }, (_, index) => index + 1),
      );
    }
    const { gaps, healed, repeated } = follower.counts;
    expect(gaps).toBeGreaterThan(5);
    expect([healed, repeated > count / 2]).toEqual([gaps, true]);
    expect(troubles.filter((error) => error instanceof Gap)).toHaveLength(gaps);
  });
});

test('what a relay has repeated in Kafka does not come twice, also after a stored position', async () => {
  const repeating = freshTopic();
  const admin = kafka.admin();
  await admin.connect();
  await createTopic(admin, repeating, 16);
  await admin.disconnect();
  const [partition = 0, head = 0] = [...(await heads())].find(([, most]) => most >= 6) ?? [];
  const page = await ledger.call('feed', { query: { partition, limit: head } });
  const records = page.events.map((document) => ({
    partition,
    value: JSON.stringify(document),
    headers: { 'ledger-sequence': `${Number(document.sequence)}` },
  }));
  // As relays do that were paused: they send again what they had sent, also after newer events.
  const half = records.slice(0, 3);
  const messages = [...half, ...half, ...records, ...half];
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: repeating, messages });
  await producer.disconnect();

  const fromKafka = (from: FollowOptions['from']) =>
    follow({ source: kafkaSource({ kafka, topic: repeating }), lookMs: 3_600_000, from });
  const [whole, rest] = [fromKafka('beginning'), fromKafka(new Map([[partition, 2]]))];
  // The last half comes last, and is dropped.
  await until(() => whole.follower.counts.repeated === 9 && rest.follower.counts.repeated === 9);
  const sequences = ({ events }: typeof whole) => events.map(({ sequence }) => sequence);
  const all = Array.from({ length: head }, (_, index) => index + 1);
  expect([sequences(whole), sequences(rest)]).toEqual([all, all.slice(2)]);
  for (const { follower } of [whole, rest]) expect(follower.counts).toMatchObject({ gaps: 0, healed: 0 });
});

describe('a handler', () => {
  // Pauses between repetitions are anything from nothing on: here they are nothing, and chance is the tests' own.
  const chance = Math.random;
  beforeEach(() => {
    Math.random = () => 0;
  });
  afterEach(() => {
    Math.random = chance;
  });

  test('that throws now and then gets the same events again', async () => {
    let calls = 0;
    const seen: FollowedEvent[] = [];
    const { stops } = follow({
      maxBatch: 50,
      onEvents(batch) {
        calls += 1;
        if (calls % 3 === 0) throw new Error('now and then');
        seen.push(...batch);
      },
    });
    const count = await total();
    await until(() => seen.length >= count);
    await expectWhole(seen);
    expect(stops).toEqual([]);
  });

  test('that always throws stops the follower, which says where and why', async () => {
    const why = new Error('always');
    let calls = 0;
    const { follower, stops } = follow({
      retries: 2,
      onEvents() {
        calls += 1;
        throw why;
      },
    });
    expect(await follower.done).toMatchObject({
      code: 'handler-failed',
      cause: why,
      message: expect.stringMatching(/\d+:\d+/),
    });
    expect([calls, stops.length, [...follower.positions.values()].every((one) => one === 0)]).toEqual([
      3,
      1,
      true,
    ]);
  });

  test('that does not return stops the follower, and is not called beside itself', async () => {
    let calls = 0;
    let aborted = false;
    const { follower } = follow({
      handlerMs: 100,
      onEvents(_, { signal }) {
        calls += 1;
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return new Promise(() => {});
      },
    });
    expect(await follower.done).toMatchObject({ code: 'handler-stuck' });
    await pause(200);
    expect([calls, aborted]).toEqual([1, true]);
  });

  test('has an effect exactly once in the database of its user, whatever happens in between', async () => {
    const pool = new pg.Pool({ connectionString: await freshDatabase() });
    await pool.query('create table followed (partition int primary key, sequence bigint not null)');
    await pool.query('create table started (session_id uuid primary key, times int not null)');
    const stored = async () => {
      const { rows } = await pool.query('select partition, sequence::int from followed');
      return new Map<number, number>(rows.map(({ partition, sequence }) => [partition, sequence]));
    };
    const onEvents: FollowOptions['onEvents'] = async (events, { partition, sequence }) => {
      const client = await pool.connect();
      try {
        await client.query('begin');
        const { rows } = await client.query(
          'select sequence::int from followed where partition = $1 for update',
          [partition],
        );
        const before = rows[0]?.sequence ?? 0; // a commit whose answer was lost comes again
        for (const event of events) {
          if (event.sequence <= before || event.type !== 'SessionStarted') continue;
          const count =
            'insert into started values ($1, 1) on conflict (session_id) do update set times = started.times + 1';
          await client.query(count, [event.session?.sessionId]);
        }
        const move =
          'insert into followed values ($1, $2) on conflict (partition) do update set sequence = excluded.sequence';
        await client.query(move, [partition, sequence]);
        if (chance() < 0.1) throw new Error('before the commit');
        await client.query('commit');
        if (chance() < 0.1) throw new Error('after the commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      } finally {
        client.release();
      }
    };
    await write(30);
    const count = await total();
    for (let restarts = 0; restarts < 3; restarts++) {
      const { follower } = follow({ from: await stored(), maxBatch: 20, retries: 50, onEvents });
      await pause(100);
      if (restarts === 2)
        await until(
          () => [...follower.positions.values()].reduce((sum, one) => sum + one, 0) >= count,
          30_000,
        );
      await follower.stop();
    }
    const { rows } = await pool.query('select count(*)::int as sessions, max(times) as most from started');
    const started = follow();
    await until(() => started.events.length >= count);
    const sessions = started.events.filter(({ type }) => type === 'SessionStarted').length;
    expect(rows).toEqual([{ sessions, most: 1 }]);
    await pool.end();
  });
});

describe('a follower stops, and says why,', () => {
  const stopOf = async (options: Partial<FollowOptions>) => (await follow(options).follower.done)?.code;

  test('when the ledger has not reached its position', async () => {
    expect(await stopOf({ from: new Map([[0, 1_000_000]]) })).toBe('position-ahead');
  });

  test('when its position is of more partitions', async () => {
    expect(await stopOf({ from: new Map([[16, 1]]) })).toBe('partitions-changed');
  });

  test('when the topic has another number of partitions', async () => {
    const other = freshTopic();
    const admin = kafka.admin();
    await admin.connect();
    await createTopic(admin, other, 3);
    expect(await stopOf({ source: kafkaSource({ kafka, topic: other }) })).toBe('partitions-changed');
    await admin.disconnect();
  });

  test('when the topic was made anew', async () => {
    const other = freshTopic();
    const admin = kafka.admin();
    await admin.connect();
    await createTopic(admin, other, 16);
    expect(await stopOf({ from: await heads(), source: kafkaSource({ kafka, topic: other }) })).toBe(
      'topic-recreated',
    );
    await admin.disconnect();
  });

  test('when the source gives what is no event, again and again', async () => {
    const { parseEvent } = await import('../../libs/client/following/followed-event.js');
    const source: EventSource = { read: async ({ take }) => take([parseEvent('{"no":"event"}')]) };
    expect(await stopOf({ source })).toBe('bad-events');
  });

  test('when events come from another ledger', async () => {
    const [event] = (await ledger.call('feed', { query: { partition: await busiest(), limit: 1 } })).events;
    const foreign = { ...event, source: '/ledgers/other', sequence: '0000000000000001' };
    const { toEvent } = await import('../../libs/client/following/followed-event.js');
    const source: EventSource = {
      read: async ({ take }) => {
        await take([toEvent(event as never)]);
        await take([toEvent(foreign as never)]);
      },
    };
    expect(await stopOf({ source })).toBe('another-ledger');
  });
});

const busiest = async () => [...(await heads())].reduce((most, one) => (one[1] > most[1] ? one : most))[0];

test('events of types that are not known are handed on, or skipped', async () => {
  const { parseEvent } = await import('../../libs/client/following/followed-event.js');
  const partition = await busiest();
  const { events: documents } = await ledger.call('feed', { query: { partition, limit: 3 } });
  const [first, second, third] = documents.map((one) => ({ ...one }));
  Object.assign(second as object, { type: 'session-ledger.SessionTeleported.v1' });
  Object.assign(third as object, { type: 'session-ledger.SessionStarted.v2', data: null });
  for (const [unknown, types] of [
    ['hand-on', ['SessionStarted', 'unknown', 'unknown']],
    ['skip', ['SessionStarted']],
  ] as const) {
    const source: EventSource = {
      async read({ take, signal }) {
        await take([first, second, third].map((one) => parseEvent(JSON.stringify(one))));
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    };
    const { follower, events } = follow({ source, unknown });
    await until(() => follower.positions.get(partition) === 3);
    expect(events.map(({ type }) => type)).toEqual(types);
  }
});

test('a ledger that is killed and comes back is followed on', async () => {
  const { events, troubles, stops, follower } = follow();
  const count = await total();
  await until(() => events.length >= count);
  await service.restart();
  await write(5);
  const more = await total();
  await until(() => events.length >= more);
  await expectWhole(events);
  expect([stops, follower.counts.connections > 1, troubles.length > 0]).toEqual([[], true, true]);
});

describe('a replica', () => {
  test('has what is current, and reads what a command has written once its position is reached', async () => {
    const users = await write(20);
    const replica = await openReplica({ ledger, lookMs: 200 });
    for (const userId of users) {
      const { attributes: _, ...current } = (await ledger.current({ userId })) as { attributes: unknown };
      expect(replica.current({ userId })).toEqual(current);
    }
    for (const userId of users) {
      const { session, position } = await ledger.call('startSession', {
        body: { userId, owner: cloudDebug },
      });
      await replica.reached(position);
      expect(replica.current({ userId })).toMatchObject({ sessionId: session.sessionId, owner: cloudDebug });
      const ended = await ledger.end(session.sessionId, {
        epoch: session.epoch,
        origin: cloudDebug,
        reason: 'done',
      });
      await replica.reached(ended.position);
      expect(replica.current({ userId })).toBeUndefined();
    }
    await until(() => replica.staleness < 1_000);
    await expect(replica.reached({ partition: 0, sequence: 1_000_000 }, 50)).rejects.toThrow(
      'was not reached',
    );
  });

  test('equals what the ledger says after many changes', async () => {
    const replica = await openReplica({ ledger });
    const users = await write(30, 3);
    const again = await openReplica({ ledger });
    for (const [partition, sequence] of again.positions) await replica.reached({ partition, sequence });
    expect(replica.size).toBe(again.size);
    for (const userId of users) expect(replica.current({ userId })).toEqual(again.current({ userId }));
  });

  test('equals what the ledger says after gaps, repetitions, events that it does not know, and restarts', async () => {
    const inner = feedSource(ledger);
    const faulty: EventSource = {
      read: (reading) =>
        inner.read({
          ...reading,
          take: async (batch) => {
            const some = batch
              .filter(({ sequence }) => sequence % 3 !== 0)
              .map((event) => (event.sequence % 2 === 0 ? { ...event, type: 'unknown' as const } : event));
            await reading.take(some);
            await reading.take(some);
          },
        }),
    };
    const troubles: unknown[] = [];
    const onTrouble = (error: unknown) => troubles.push(error);
    const replica = await openReplica({ ledger, source: faulty, lookMs: 300, onTrouble });
    const users = await write(30, 2);
    await service.restart();
    users.push(...(await write(10)));
    const again = await openReplica({ ledger });
    for (const [partition, sequence] of again.positions) await replica.reached({ partition, sequence });
    expect(replica.size).toBe(again.size);
    for (const userId of users) expect(replica.current({ userId })).toEqual(again.current({ userId }));
    expect(troubles.some((error) => error instanceof Gap)).toBe(true);
    await until(() => replica.staleness < 1_000);
  });

  test('follows no other ledger that answers once its snapshot is read', async () => {
    const other = await startService({});
    let isRead = false;
    const fetchFrom: typeof fetch = async (url, init) => {
      const at = isRead ? String(url).replace(service.url, other.url) : url;
      isRead ||= String(url).includes('/v1/snapshot');
      return fetch(at, init);
    };
    const replica = await openReplica({
      ledger: new LedgerClient({ url: service.url, fetch: fetchFrom }),
      lookMs: 100,
    });
    await until(() => replica.staleness === Number.POSITIVE_INFINITY);
    expect(() => replica.current({ userId: 'ada' })).toThrow('another-ledger');
    await other.stop();
  });

  test('is stale while the ledger cannot be asked, and says for how long', async () => {
    const port = Number(new URL(service.url).port);
    const proxy = await startProxy({ target: { host: '127.0.0.1', port } });
    running.add({ stop: () => proxy.close() });
    const through = new LedgerClient({ url: `http://${proxy.address}`, deadlineMs: 300 });
    const replica = await openReplica({ ledger: through, lookMs: 100 });
    expect(replica.staleness).toBeLessThan(5_000);
    proxy.cut();
    await until(() => replica.staleness > 1_000);
    await pause(500);
    expect(replica.staleness).toBeGreaterThan(1_500);
    proxy.heal();
    await until(() => replica.staleness < 400);
  });

  test('that would have to hold more than it may stops, rather than be half', async () => {
    const { size, close } = await CurrentReplica.open({ ledger }).then(async (one) => ({
      size: one.size,
      close: () => one.close(),
    }));
    await close();
    await expect(CurrentReplica.open({ ledger, most: size - 1 })).rejects.toThrow('current sessions');
    let why: unknown;
    const replica = await openReplica({
      ledger,
      most: size,
      onStopped: (reason) => {
        why = reason;
      },
    });
    await write(1);
    await until(() => why !== undefined);
    expect(() => replica.current({ userId: 'ada' })).toThrow('current sessions');
    expect(replica.staleness).toBe(Number.POSITIVE_INFINITY);
  });
});
