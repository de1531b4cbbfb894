import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../support/http.js';
import { metric } from '../support/metrics.js';
import { type Service, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';
import { get, silent } from '../support/silent.js';
import { within } from '../support/until.js';

/** Connections that are good for nothing any more are closed, whatever the other side does. */

const { until } = within(10_000);
let service: Service;
beforeAll(async () => {
  service = await startService();
});

const files = () => metric(service.url, 'process_open_fds');
/** What the service answers, up to its end; the connection stays open on this side. */
async function answerTo(text: string): Promise<string> {
  const socket = silent(service.url, text);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.resume();
  await once(socket, 'end');
  return answer;
}

test.each<[string, string, string]>([
  ['no HTTP at all', 'hello\r\n\r\n', '400'],
  ['headers that are too large', `${get('/').trimEnd()}\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
  ['a method that nobody knows', 'BREW / HTTP/1.1\r\nhost: localhost\r\n\r\n', '501'],
  ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nhost: localhost\r\n\r\n', '501'],
  [
    'two lengths',
    'POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    '400',
  ],
])(
  '%s is answered, and the connection closed within 2 s although the other side keeps it',
  async (_, text, status) => {
    const before = await files();
    const answers = await Promise.all(Array.from({ length: 50 }, () => answerTo(text)));
    for (const answer of answers) expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    await until(async () => (await files()) <= before + 5, 2_000);
  },
);

test('who sends on after such an answer is not listened to, and gets it all the same', async () => {
  const socket = silent(service.url, 'hello\r\n\r\n');
  let answer = '';
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.resume();
  const sending = setInterval(() => socket.write('x'.repeat(10_000)), 5);
  await over;
  clearInterval(sending);
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
});

test('headers that are not here after 15 s, and bodies after 30 s, end with 408', async () => {
  const timed = async (text: string) => {
    const began = performance.now();
    const answer = await answerTo(text);
    return [answer.slice(0, 12), (performance.now() - began) / 1_000] as const;
  };
  const body =
    'POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{';
  const [nothing, headers, half] = await Promise.all([
    timed(''),
    timed('GET / HTTP/1.1\r\nhost: localhost'),
    timed(body),
  ]);
  for (const [answer, seconds] of [nothing, headers]) {
    expect(answer).toBe('HTTP/1.1 408');
    expect([seconds > 14, seconds < 20]).toEqual([true, true]);
  }
  expect(half[0]).toBe('HTTP/1.1 408');
  expect([half[1] > 29, half[1] < 35]).toEqual([true, true]);
}, 60_000);

test('a wait that is on its way when the service stops is answered', async () => {
  const stopping = await startService();
  const userId = newUser();
  const { body } = await ask<{ session: { revision: number } }>(`${stopping.url}/v1/sessions`, {
    body: { userId, owner: cloudDev },
  });
  const waiting = ask(`${stopping.url}/v1/current?userId=${userId}&wait=30&after=${body.session.revision}`);
  await until(async () => (await metric(stopping.url, 'ledger_waiters')) === 1);
  const began = performance.now();
  expect((await stopping.stop()).code).toBe(0);
  expect([200, 304]).toContain((await waiting).status);
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('clients that come back again and again leave nothing behind, and nobody waits for them', async () => {
  const before = await files();
  let isOver = false;
  const loops = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const socket = silent(service.url, get('/v1/feed/stream'));
      await once(socket, 'readable');
      socket.resetAndDestroy();
    }
  });
  const times: number[] = [];
  for (let count = 0; count < 50; count++) {
    const began = performance.now();
    expect((await ask(`${service.url}/health/ready`)).status).toBe(200);
    times.push(performance.now() - began);
  }
  isOver = true;
  await Promise.all(loops);
  expect(times.sort((one, other) => one - other)[25]).toBeLessThan(500);
  await until(async () => (await metric(service.url, 'ledger_streams')) === 0);
  await until(async () => (await files()) <= before + 5);
});

test('who sends many requests at once and reads nothing takes the memory of one answer', async () => {
  const userId = newUser();
  const start = () =>
    ask<{ position: { partition: number } }>(`${service.url}/v1/sessions`, {
      body: { userId, owner: cloudDev },
    });
  const [one] = await Promise.all(Array.from({ length: 250 }, start));
  const path = `/v1/feed?partition=${one?.body.position.partition}&limit=500`;
  const { length } = (await ask(`${service.url}${path}`)).text;
  expect(length).toBeGreaterThan(200_000);
  const memory = () => metric(service.url, 'process_resident_memory_bytes');
  const before = await memory();
  const readers = Array.from({ length: 10 }, () => silent(service.url, get(path).repeat(100)));
  await sleep(3_000);
  expect((await memory()) - before).toBeLessThan(100 << 20); // all of them are more than 200 MB
  let taken = 0;
  for (const reader of readers) {
    reader.on('data', (chunk) => {
      taken += chunk.length;
    });
    reader.resume();
  }
  await until(() => taken > 10 * 100 * length, 60_000); // and they get them all
}, 120_000);

test('readiness is found out once for all who ask at the same time', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => ask(`${service.url}/health/ready`)));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test('with few files, connections are turned away before Postgres has none left, and all is well afterwards', async () => {
  const few = await startService({ openFiles: 400 });
  const userId = newUser();
  const sockets = Array.from({ length: 600 }, () => silent(few.url));
  await sleep(500);
  const turnedAway = sockets.filter(
    ({ closed, readableEnded, destroyed }) => closed || readableEnded || destroyed,
  );
  for (const socket of sockets) socket.resume();
  await until(
    () => sockets.filter(({ readableEnded, destroyed }) => readableEnded || destroyed).length >= 250,
  );
  expect(turnedAway.length).toBeLessThan(600);
  for (const socket of sockets) socket.destroy();
  await until(
    async () => (await ask(`${few.url}/v1/sessions`, { body: { userId, owner: cloudDev } })).status === 201,
  );
  expect((await ask(`${few.url}/health/ready`)).status).toBe(200);
  expect(few.output()).not.toMatch(/EMFILE/);
});
