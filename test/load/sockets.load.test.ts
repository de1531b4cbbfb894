import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { metric } from '../support/metrics.js';
import { startService } from '../support/service.js';
import { get, silent } from '../support/silent.js';
import { record } from './figures.js';
import { run, seed } from './running.js';

const MB = 1 << 20;
const files = (url: string) => metric(url, 'process_open_fds');
const memory = (url: string) => metric(url, 'process_resident_memory_bytes');

test('what is no request does not keep its connection', async () => {
  const load = '600 connections that send no HTTP and stay open';
  const { url } = await startService();
  const before = await files(url);
  for (let count = 0; count < 600; count++) silent(url, 'no http\r\n\r\n').resume();
  await sleep(2_500);
  const left = (await files(url)) - before;
  record({ load, measure: 'open after 2 s', under: left, bound: '0' });
  expect(left).toBeLessThanOrEqual(2);
});

test('slow headers end after 15 s, slow bodies after 30 s', async () => {
  const load = '600 connections, each with half a request';
  const { url } = await startService();
  const head = 'POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  const timed = async (text: string) => {
    const began = performance.now();
    await once(silent(url, text).resume(), 'end');
    return (performance.now() - began) / 1_000;
  };
  const all = (text: string) => Promise.all(Array.from({ length: 300 }, () => timed(text)));
  const [headers, bodies] = await Promise.all([all(head), all(`${head}content-length: 9\r\n\r\n{`)]);
  record({
    load,
    measure: 'half of the headers: over after, s',
    under: Math.max(...headers),
    bound: '15 to 17',
  });
  record({ load, measure: 'half of the body: over after, s', under: Math.max(...bodies), bound: '30 to 32' });
  expect(Math.max(...headers)).toBeLessThan(17);
  expect(Math.max(...bodies)).toBeLessThan(32);
}, 90_000);

test('readers that never read are dropped, and what waited for them is given back', async () => {
  const load = '100 connections that ask for 100 pages of the feed each and never read';
  const { url } = await startService();
  await seed(url, 3_000, 3);
  await sleep(1_000);
  const before = await memory(url);
  const pages = Array.from({ length: 100 }, (_, page) => get(`/v1/feed?partition=${page % 16}&limit=500`));
  const readers = Array.from({ length: 100 }, () => silent(url, pages.join('')));
  const during: number[] = [];
  const look = async (seconds: number) => {
    for (const until = performance.now() + 1_000 * seconds; performance.now() < until; await sleep(1_000))
      during.push(await memory(url));
  };
  // First the buffers of both systems are filled: nothing waits in the service before that.
  const answered = () => metric(url, 'ledger_http_requests_total{operation="feed",status="200"}');
  for (let before = -1, now = 0; before < now; now = await answered()) {
    before = now;
    await look(5);
  }
  await look(67);
  // One that was dropped finds the end, or is reset, when it reads what the systems' buffers hold.
  for (const reader of readers) reader.resume();
  await sleep(5_000);
  const left = readers.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length;
  record({
    load,
    measure: 'memory at most, MB',
    before: before / MB,
    under: Math.max(...during) / MB,
    bound: '+ 300',
  });
  record({ load, measure: 'open 67 s after the last could take nothing', under: left, bound: '0' });
  expect(left).toBe(0);
  expect(Math.max(...during) - before).toBeLessThan(300 * MB);
}, 400_000);

test('streams that are opened and closed 10,000 times leave nothing behind', async () => {
  const load = '10,000 streams opened and closed, 50 at a time';
  const { url } = await startService();
  await seed(url, 100);
  const churn = async () => {
    const churning = run('open-close', url, 5_000);
    await churning.exited;
  };
  await churn();
  const [filesBefore, before] = [await files(url), await memory(url)];
  await churn();
  await sleep(1_000);
  const after = await memory(url);
  record({
    load,
    measure: 'memory after 5,000 and 10,000, MB',
    before: before / MB,
    under: after / MB,
    bound: '≤ 1.2×',
  });
  expect([await metric(url, 'ledger_streams'), await metric(url, 'ledger_waiters')]).toEqual([0, 0]);
  expect(await files(url)).toBeLessThanOrEqual(filesBefore + 2);
  expect(after).toBeLessThan(before * 1.2);
}, 150_000);
