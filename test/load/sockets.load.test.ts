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
  const load = '100 connections that ask for 32 pages of the feed each and never read';
  const { url } = await startService();
  await seed(url, 3_000, 3);
  const [filesBefore, before] = [await files(url), await memory(url)];
  const pages = Array.from({ length: 16 }, (_, partition) =>
    get(`/v1/feed?partition=${partition}&limit=500`),
  );
  for (let count = 0; count < 100; count++) silent(url, pages.join('').repeat(2));
  await sleep(3_000);
  const most = await memory(url);
  await sleep(70_000);
  const left = (await files(url)) - filesBefore;
  record({ load, measure: 'memory, MB', before: before / MB, under: most / MB, bound: '' });
  record({ load, measure: 'open after 73 s', under: left, bound: '≤ 12' });
  expect(left).toBeLessThanOrEqual(12); // the service's own to Postgres among them
}, 150_000);

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
