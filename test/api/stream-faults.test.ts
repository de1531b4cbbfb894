import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';
import { contains, startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';
import { openSse, type SseReader } from '../support/sse.js';
import { within } from '../support/until.js';

const { until } = within(5_000);

/** What readers of streams, and those who wait, live through without missing anything or waiting for ever. */

let reads = 0;
let database: TcpProxy;
let front: TcpProxy;
let service: Service;
beforeAll(async () => {
  const url = await freshDatabase();
  const { hostname: host, port } = new URL(url);
  const isRead = contains('read_current');
  database = await startProxy({
    target: { host, port: Number(port) },
    onRequest(request) {
      reads += isRead(request) ? 1 : 0;
    },
  });
  service = await startService({ databaseUrl: database.reroute(url) });
  front = await startProxy({ target: { host: '127.0.0.1', port: Number(new URL(service.url).port) } });
});
afterEach(() => {
  database.heal();
  front.heal();
});
afterAll(() => Promise.all([database.close(), front.close()]));

const start = async (userId: string) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner: cloudDev } })).body;
const idOf = ({ position: { partition, sequence } }: CommandBody) => `${partition}:${sequence}`;
const scopeOf = (userId: string) => `${service.url}/v1/stream?userId=${userId}`;
const feed = () => `${service.url}/v1/feed/stream`;
const untilWaiting = async (count: number) => {
  const line = `ledger_waiters ${count}`;
  for (const over = performance.now() + 5_000; performance.now() < over; await sleep(20)) {
    if ((await ask(`${service.url}/metrics`)).text.split('\n').includes(line)) return;
  }
  throw new Error(`the metrics do not come to ${line}`);
};
/** Whether a stream ends within five seconds, which is less than it takes to its first comment. */
const ends = ({ ended }: SseReader) =>
  Promise.race([ended.then(() => true), sleep(5_000, false, { ref: false })]);

test('an EventSource whose connection breaks before its first event misses none', async () => {
  const userId = newUser();
  await start(userId);
  const addresses = [`/v1/stream?userId=${userId}`, '/v1/feed/stream'];
  const browser = spawnNode(fileURLToPath(new URL('../support/processes/event-source.js', import.meta.url)), {
    env: { NODE_OPTIONS: '--experimental-eventsource' },
    args: addresses.map((path) => `http://${front.address}${path}`),
  });
  await Promise.all(['0 open', '1 open'].map((line) => browser.waitForLine(new RegExp(`^${line}$`))));
  const missed: string[] = [];
  for (let times = 0; times < 2; times++) {
    const breaks = browser.lines.filter((line) => line.endsWith('broken')).length;
    front.cut();
    missed.push(idOf(await start(userId)));
    await until(() => browser.lines.filter((line) => line.endsWith('broken')).length >= breaks + 2);
    front.heal();
    for (const reader of [0, 1]) await browser.waitForLine(new RegExp(`^${reader} event ${missed.at(-1)}$`));
  }
  for (const reader of [0, 1]) {
    const seen = browser.lines.filter((line) => line.startsWith(`${reader} event`));
    expect(seen).toHaveLength(4); // two supersedes, of two events each
    expect(new Set(seen).size).toBe(4);
  }
  await browser.kill();
}, 30_000);

describe('what happens while the answer of a read is still on its way', () => {
  test('ends a wait that has read what was before it', async () => {
    const userId = newUser();
    const { session } = await start(userId);
    database.delay(1_000, contains('read_current'));
    const began = performance.now();
    const waiting = ask(`${service.url}/v1/current?userId=${userId}&wait=15&after=${session.revision}`);
    await until(() => database.waiting() > 0);
    const next = await start(userId);
    database.delay(0);
    expect((await waiting).body).toMatchObject({ sessionId: next.session.sessionId });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("comes over a scope's stream that has just been opened", async () => {
    const userId = newUser();
    await start(userId);
    const opening = openSse(scopeOf(userId));
    database.delay(1_000, contains('read_current'));
    const reader = await opening;
    const next = await start(userId);
    database.delay(0);
    expect((await reader.take(2)).map(({ data }) => data.id)).toContain(idOf(next));
  });

  test("comes over a scope's stream that is on its way to the present", async () => {
    const userId = newUser();
    const first = await start(userId);
    database.delay(1_000, contains('read_scope_events'));
    const opening = openSse(scopeOf(userId), '0'); // looks for it once before it answers, too
    await until(() => database.waiting() > 0);
    const next = await start(userId);
    const reader = await opening;
    await until(() => database.waiting() > 0);
    const last = await start(userId);
    database.delay(0);
    const ids = (await reader.take(5)).map(({ data }) => data.id);
    expect(new Set(ids).size).toBe(5);
    for (const one of [first, next, last]) expect(ids).toContain(idOf(one));
  });

  test('comes over the feed stream', async () => {
    const userId = newUser();
    await start(userId);
    await service.restart(); // what it has committed itself it need not read
    database.delay(1_000, contains('read_feed'));
    const zeros = Array.from({ length: 16 }, () => '0').join('.');
    const reader = await openSse(feed(), zeros);
    await until(() => database.waiting() > 0);
    const next = await start(userId);
    database.delay(0);
    await until(() => reader.lastEventId !== zeros);
    const seen: unknown[] = [];
    while (!seen.includes(idOf(next))) seen.push((await reader.take(1))[0]?.data.id);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

test("a scope's stream tells all of a long history, without waiting for the next event", async () => {
  const userId = newUser();
  for (let starts = 0; starts < 120; starts++) await start(userId); // 239 events, 100 a page
  const reader = await openSse(scopeOf(userId), '0');
  const versions = (await reader.take(239)).map(({ data }) => (data.data as { version: number }).version);
  expect(versions).toEqual(Array.from({ length: 239 }, (_, index) => index + 1));
});

test('everybody who waits for a scope, or reads its stream, hears of the same event', async () => {
  const userId = newUser();
  const { session } = await start(userId);
  const readers = await Promise.all([1, 2, 3].map(() => openSse(scopeOf(userId))));
  const address = `${service.url}/v1/current?userId=${userId}&wait=15&after=${session.revision}`;
  const waits = [1, 2, 3].map(() => ask(address));
  await untilWaiting(3);
  const next = await start(userId);
  for (const { body } of await Promise.all(waits)) expect(body.sessionId).toBe(next.session.sessionId);
  for (const reader of readers)
    expect((await reader.take(2)).map(({ data }) => data.id)).toContain(idOf(next));
});

test('a replica that has not heard of an event yet goes on after it', async () => {
  const other = await startService({ databaseUrl: service.databaseUrl });
  database.delay(2_000, contains('look_at_heads'));
  await until(() => database.waiting() > 0);
  const ahead = await openSse(`${new URL('/v1/feed/stream', other.url)}`);
  const first = await ask<CommandBody>(`${other.url}/v1/sessions`, {
    body: { userId: newUser(), owner: cloudDev },
  });
  const [event] = await ahead.take(1);
  const reader = await openSse(feed(), event?.id);
  expect([reader.status, reader.firstId]).toEqual([200, event?.id]);
  database.delay(0);
  const next = await start(newUser());
  expect((await reader.take(1)).map(({ data }) => data.id)).toEqual([idOf(next)]);
  expect(idOf(first.body)).not.toBe(idOf(next));
  await other.stop();
});

test('nothing is read for those who do not wait any more', async () => {
  const userId = newUser();
  const { session } = await start(userId);
  const gone = new AbortController();
  const { signal } = gone;
  const wait = ask(`${service.url}/v1/current?userId=${userId}&wait=30&after=${session.revision}`, {
    signal,
  });
  await untilWaiting(1);
  gone.abort();
  await expect(wait).rejects.toThrow();
  await untilWaiting(0);
  await sleep(300);
  const before = reads;
  await sleep(500);
  expect(reads).toBe(before);
});

describe('a stream whose reading fails ends, so that its reader comes back', () => {
  test('a scope’s, on its way to the present', async () => {
    const userId = newUser();
    const missed = await start(userId);
    const isPage = contains('read_scope_events');
    let pages = 0;
    database.dropNextReplies(1, (request) => isPage(request) && ++pages === 2); // the first one is looked at before the answer
    const reader = await openSse(scopeOf(userId), '0');
    expect(await ends(reader)).toBe(true);
    database.heal();
    const again = await openSse(scopeOf(userId), reader.lastEventId);
    expect((await again.take(1)).map(({ data }) => data.id)).toContain(idOf(missed));
  });

  test('the feed’s, in one of its partitions', async () => {
    const written = await start(newUser());
    await service.restart(); // what it has committed itself it need not read
    const reader = await openSse(feed());
    expect(reader.firstId.split('.')[written.position.partition]).not.toBe('0');
    database.dropNextReplies(20, contains('read_feed'));
    const zeros = Array.from({ length: 16 }, () => '0').join('.');
    const behind = await openSse(feed(), zeros);
    expect(await ends(behind)).toBe(true);
    database.heal();
    const again = await openSse(feed(), behind.lastEventId);
    const before = reader.firstId.split('.').reduce((sum, one) => sum + Number.parseInt(one, 36), 0);
    const ids = (await again.take(before)).map(({ data }) => data.id);
    expect(ids).toContain(idOf(written));
    const next = await start(newUser());
    expect((await reader.take(1))[0]?.data.id).toBe(idOf(next)); // who has read nothing goes on
  });
});
