import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fetchJars, type JarCache, missingJars } from './jar-cache.js';
import { type Progress, progressOn } from './progress.js';

const content: Record<string, string> = { 'org/a.jar': 'the bytes of a', 'org/b.jar': 'and those of b' };
const jars = Object.entries(content).map(([path, bytes]) => ({
  path,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.length,
}));
const silent: Progress = { start() {}, advance() {}, stop() {} };
let maven: Server;
let cache: JarCache;
let answers: ((bytes: string) => string | number)[]; // one a request, then as it should be
let asked: number;

beforeEach(async () => {
  answers = [];
  asked = 0;
  maven = createServer((request, response) => {
    asked += 1;
    const bytes = content[request.url?.slice(1) ?? ''] ?? '';
    const answer = answers.shift()?.(bytes) ?? bytes;
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.end(answer);
  }).listen(0, '127.0.0.1');
  await once(maven, 'listening');
  const repository = `http://127.0.0.1:${(maven.address() as AddressInfo).port}`;
  cache = { directory: await mkdtemp(join(tmpdir(), 'jars-')), jars, repository, retryAfterMs: 1 };
});
afterEach(async () => {
  maven.closeAllConnections();
  maven.close();
  await rm(cache.directory, { recursive: true });
});

test('what is missing is fetched, and only that', async () => {
  await fetchJars(cache, await missingJars(cache), silent);
  expect(await readFile(join(cache.directory, 'a.jar'), 'utf8')).toBe('the bytes of a');
  expect(await missingJars(cache)).toEqual([]);
  expect(asked).toBe(2);
});

test('a corrupted jar in the cache is fetched again', async () => {
  await fetchJars(cache, jars, silent);
  await writeFile(join(cache.directory, 'a.jar'), 'the bytes of A');
  const missing = await missingJars(cache);
  expect(missing).toEqual([jars[0]]);
  await fetchJars(cache, missing, silent);
  expect(await missingJars(cache)).toEqual([]);
});

test('a broken answer is asked for again', async () => {
  answers = [() => 503, (bytes) => bytes.slice(1)];
  await fetchJars(cache, jars, silent);
  expect(await missingJars(cache)).toEqual([]);
  expect(asked).toBe(4);
});

test('a jar with other bytes never gets into the cache', async () => {
  answers = Array.from({ length: 20 }, () => (bytes) => bytes.replace('b', 'B'));
  await expect(fetchJars(cache, jars, silent)).rejects.toThrow(/SHA-256 does not match the manifest/);
  expect(await readdir(cache.directory)).toEqual([]);
});

test('fetchers at the same time do not disturb each other', async () => {
  await Promise.all(Array.from({ length: 8 }, () => fetchJars(cache, jars, silent)));
  expect((await readdir(cache.directory)).sort()).toEqual(['a.jar', 'b.jar']);
  expect(await missingJars(cache)).toEqual([]);
});

test('progress counts bytes up to the total, on a terminal only', async () => {
  const seen: number[] = [];
  const counting = { ...silent, start: (n: number) => seen.push(n), advance: (n: number) => seen.push(n) };
  await fetchJars(cache, jars, counting);
  expect(seen).toEqual([28, 14, 14]);

  const drawn = (isTTY: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    const bar = progressOn(stream as unknown as NodeJS.WriteStream, 'Kafka');
    bar.start(2_000_000);
    bar.advance(2_000_000);
    bar.stop();
    return String(stream.read() ?? '');
  };
  expect(drawn(true)).toMatch(/Kafka .*% of 2 MB/);
  expect(drawn(false)).toBe('');
});
