import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../support/http.js';
import { metric } from '../support/metrics.js';
import { contains, startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';
import { get, silent } from '../support/silent.js';
import { openSse } from '../support/sse.js';
import { within } from '../support/until.js';

/** What one reader may take from the others. */

const { until, becomes } = within(10_000);
const asked = { scopeEvents: 0, feed: 0 };
let database: TcpProxy;
let service: Service;
let other: Service;
beforeAll(async () => {
  const url = await freshDatabase();
  const { hostname: host, port } = new URL(url);
  const [isScope, isFeed] = [contains('read_scope_events'), contains('read_feed')];
  database = await startProxy({
    target: { host, port: Number(port) },
    onRequest(request) {
      asked.scopeEvents += isScope(request) ? 1 : 0;
      asked.feed += isFeed(request) ? 1 : 0;
    },
  });
  service = await startService({ databaseUrl: database.reroute(url) });
  other = await startService({ databaseUrl: url });
});
afterAll(() => database.close());

const start = (userId: string, { url } = service, more: object = {}) =>
  ask<CommandBody>(`${url}/v1/sessions`, { body: { userId, owner: cloudDev, ...more } });
const pool = (figure: string, name: string) => metric(service.url, `ledger_pool_${figure}{pool="${name}"}`);

describe('readers of snapshots that never read', () => {
  const attributes = { text: 'x'.repeat(4_000) };
  beforeAll(async () => {
    // 12 MB: more than the sockets' own buffers hold.
    for (let round = 0; round < 50; round++)
      await Promise.all(Array.from({ length: 50 }, () => start(newUser(), service, { attributes })));
  });

  test('hold no connection; reads, readiness, lapses and who reads go on', async () => {
    for (let count = 0; count < 10; count++) silent(service.url, get('/v1/snapshot'));
    await sleep(1_000); // they have what their buffers hold
    await becomes(() => pool('in_use', 'snapshots'), 0);
    expect(await pool('waiting', 'snapshots')).toBe(0);
    const userId = newUser();
    expect((await start(userId, service, { lease: { seconds: 1, onLapse: 'end' } })).status).toBe(201);
    expect((await ask(`${service.url}/v1/current?userId=${userId}`)).status).toBe(200);
    expect((await ask(`${service.url}/health/ready`)).status).toBe(200);
    await until(async () => (await ask(`${service.url}/v1/current?userId=${userId}`)).status === 404);
    const { text } = await ask(`${service.url}/v1/snapshot`);
    expect(text.endsWith('{"complete":true}\n')).toBe(true);
    expect(text.split('"session":').length).toBeGreaterThan(2_500);
  });

  test('that go away, whenever that is, leave nothing behind', async () => {
    for (const bytes of [0, 1, 200, 20_000, 1_000_000, 5_000_000]) {
      const socket = silent(service.url, get('/v1/snapshot'));
      for (let taken = 0; taken < bytes; ) {
        const chunk: Buffer | null = socket.read();
        if (chunk) taken += chunk.length;
        else await new Promise((resolve) => socket.once('readable', resolve));
      }
      socket.resetAndDestroy();
    }
    await becomes(() => pool('in_use', 'snapshots'), 0);
    const { text } = await ask(`${service.url}/v1/snapshot`);
    expect(text.endsWith('{"complete":true}\n')).toBe(true);
    expect(service.output()).not.toMatch(/Unhandled|MaxListeners/);
  });
});

describe('what happens in a scope that many watch', () => {
  const watch = (userId: string) =>
    Promise.all(Array.from({ length: 50 }, () => openSse(`${service.url}/v1/stream?userId=${userId}`)));

  test('is not read at all where it was committed', async () => {
    const userId = newUser();
    await start(userId);
    const readers = await watch(userId);
    const before = { ...asked };
    for (let times = 0; times < 5; times++) await start(userId);
    for (const reader of readers) expect(await reader.take(10)).toHaveLength(10);
    expect(asked).toEqual(before);
  });

  test('is read once by another replica, whoever watches there', async () => {
    const userId = newUser();
    await start(userId, other);
    const readers = await watch(userId);
    const before = { ...asked };
    for (let times = 0; times < 5; times++) await start(userId, other);
    for (const reader of readers) {
      const versions = (await reader.take(10)).map(({ data }) => (data.data as { version: number }).version);
      expect(versions).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }
    // Once more for readers who were still on their way to the present.
    expect(asked.scopeEvents - before.scopeEvents).toBeLessThanOrEqual(1);
    expect(asked.feed - before.feed).toBeLessThanOrEqual(10); // one read for what came between two looks
  });

  test('is read once for all who come back to the same place', async () => {
    const userId = newUser();
    for (let times = 0; times < 10; times++) await start(userId);
    const before = asked.scopeEvents;
    const readers = await Promise.all(
      Array.from({ length: 50 }, () => openSse(`${service.url}/v1/stream?userId=${userId}`, '0')),
    );
    for (const reader of readers) expect(await reader.take(19)).toHaveLength(19);
    // Each is looked at by itself before it is answered: what it asks for may be archived.
    expect(asked.scopeEvents - before).toBeLessThanOrEqual(50 + 3);
  });
});

test('followers from the beginning of the feed share its pages', async () => {
  await service.restart(); // nothing is in memory
  const zeros = Array.from({ length: 16 }, () => '0').join('.');
  const before = asked.feed;
  const first = await openSse(`${service.url}/v1/feed/stream`, zeros);
  const events = (await first.take(2_000, 20_000)).length;
  const alone = asked.feed - before;
  const readers = await Promise.all(
    Array.from({ length: 20 }, () => openSse(`${service.url}/v1/feed/stream`, zeros)),
  );
  await Promise.all(readers.map((reader) => reader.take(events, 20_000)));
  expect(asked.feed - before - alone).toBeLessThan(20 * alone * 0.3);
});
