import { connect, type Socket } from 'node:net';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, type EventsBody, newUser } from '../support/sessions.js';
import { openSse, type Sent, type SseReader } from '../support/sse.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});

const start = async (userId: string, more: object = {}) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner: cloudDev, ...more } })).body;
const feed = (lastEventId?: string) => openSse(`${service.url}/v1/feed/stream`, lastEventId);
const sequences = (events: Sent[]) => events.map(({ data }) => `${data.partition}:${Number(data.sequence)}`);
const metric = async (name: string) => {
  const { text } = await ask(`${service.url}/metrics`);
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
};
/** How many streams are open: `wanted` as soon as they are, those that were closed last take a moment. */
const streams = async (wanted: number, withinMs = 2_000) => {
  const until = performance.now() + withinMs;
  for (let open = await metric('ledger_streams'); ; open = await metric('ledger_streams')) {
    if (open === wanted || performance.now() > until) return open;
    await pause(20);
  }
};

describe('the feed stream', () => {
  test('begins at the present, and carries the bytes of the feed', async () => {
    const before = await start(newUser());
    const reader = await feed();
    expect([reader.status, reader.contentType]).toEqual([200, 'text/event-stream']);
    const { position } = await start(newUser());
    const [event] = await reader.take(1);
    expect(event?.data.id).toBe(`${position.partition}:${position.sequence}`);
    expect(event?.data.id).not.toBe(`${before.position.partition}:${before.position.sequence}`);
    const { partition, sequence } = position;
    const page = await ask<EventsBody>(
      `${service.url}/v1/feed?partition=${partition}&after=${sequence - 1}&limit=1`,
    );
    expect(page.text).toContain(`{"events":[${JSON.stringify(event?.data)}]`);
  });

  test('loses and doubles nothing for a reader that comes back again and again', async () => {
    const users = Array.from({ length: 40 }, newUser);
    let reader = await feed();
    const writing = (async () => {
      const positions: string[] = [];
      for (let round = 0; round < 10; round++) {
        const answers = await Promise.all(users.map((userId) => start(userId, { owner: cloudDebug })));
        positions.push(...answers.map(({ position }) => `${position.partition}:${position.sequence}`));
      }
      return positions;
    })();
    const seen: Sent[] = [];
    const total = users.length * (1 + 9 * 2); // each start after the first one supersedes
    while (seen.length < total) {
      seen.push(...(await reader.take(Math.min(37, total - seen.length))));
      reader.close();
      reader = await feed(seen.at(-1)?.id);
    }
    const numbers = sequences(seen);
    expect(new Set(numbers).size).toBe(total);
    expect((await writing).filter((position) => !numbers.includes(position))).toEqual([]);
    for (let partition = 0; partition < 16; partition++) {
      const mine = seen.filter(({ data }) => data.partition === partition);
      const first = Number(mine[0]?.data.sequence ?? 0);
      expect(mine.map(({ data }) => Number(data.sequence))).toEqual(mine.map((_, index) => first + index));
    }
  });

  test('the whole log is there for a reader at its beginning', async () => {
    const from = Array.from({ length: 16 }, () => '0').join('.');
    const heads = await headsOf(service);
    const total = heads.reduce((sum, head) => sum + head, 0);
    const reader = await feed(from);
    const events = await reader.take(total);
    expect(new Set(sequences(events)).size).toBe(total);
  });
});

describe("a scope's stream", () => {
  const open = (userId: string, lastEventId?: string) =>
    openSse(`${service.url}/v1/stream?userId=${userId}`, lastEventId);
  const versions = (events: Sent[]) => events.map(({ data }) => (data.data as { version: number }).version);

  test("has this scope's events only, dense, from the present or from where it was left", async () => {
    const userId = newUser();
    await start(userId);
    const reader = await open(userId);
    for (let round = 0; round < 3; round++) await Promise.all([start(userId), start(newUser())]);
    const events = await reader.take(6);
    expect(versions(events)).toEqual([2, 3, 4, 5, 6, 7]);
    const again = await open(userId, events[2]?.id);
    expect(versions(await again.take(3))).toEqual([5, 6, 7]);
    const whole = await open(userId, '0');
    expect(versions(await whole.take(7))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('may be opened before the scope has a session', async () => {
    const userId = newUser();
    const reader = await open(userId);
    await start(userId);
    expect((await reader.take(1))[0]?.data.type).toBe('session-ledger.SessionStarted.v1');
  });
});

test('a stream that was closed is forgotten', async () => {
  const readers: SseReader[] = [];
  for (let opened = 0; opened < 20; opened++) readers.push(await feed());
  expect(await streams(20)).toBe(20);
  for (const reader of readers) reader.close();
  expect(await streams(0)).toBe(0);
});

test('readers that take nothing are dropped, and fill no memory until then', async () => {
  expect(await streams(0)).toBe(0);
  const memory = await metric('process_resident_memory_bytes');
  for (let opened = 0; opened < 20; opened++) silentReader(service.url);
  const wide = '🎈'.repeat(256);
  const big = { owner: { environment: wide, instance: wide } };
  const users = Array.from({ length: 32 }, () => wide.slice(0, 400) + newUser());
  // 20 MB of events: twice what the sockets' own buffers hold.
  for (let round = 0; round < 20; round++) await Promise.all(users.map((userId) => start(userId, big)));
  expect((await headsOf(service)).reduce((sum, head) => sum + head, 0)).toBeGreaterThan(1_000);
  expect((await metric('process_resident_memory_bytes')) - memory).toBeLessThan(200 << 20);
  expect(await streams(0, 15_000)).toBe(0);
  expect(service.output()).not.toMatch(/MaxListeners|leak/);
});

const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

/** Asks for the feed and reads none of it. */
function silentReader(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).pause();
  socket.on('error', () => {}); // being cut off is what is tested
  socket.write(`GET /v1/feed/stream HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  sockets.add(socket);
}

async function headsOf({ url }: Service): Promise<number[]> {
  const pages = Array.from({ length: 16 }, async (_, partition) => {
    for (let head = 0; ; ) {
      const { body } = await ask<EventsBody>(`${url}/v1/feed?partition=${partition}&after=${head}&limit=500`);
      head += body.events.length;
      if (body.next === undefined) return head;
    }
  });
  return Promise.all(pages);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
