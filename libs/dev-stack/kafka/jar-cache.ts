import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { backoffMs, rest } from '#waiting';
import { removeAbandoned } from '../abandoned.js';
import type { Jar } from '../generated/kafka-jars.js';
import type { Progress } from './progress.js';

/** What to have in which directory, and where to get it. */
export interface JarCache {
  directory: string;
  jars: readonly Jar[];
  /** The base of a Maven repository, without a slash at the end. */
  repository: string;
  /** Milliseconds before the second attempt at a jar; doubles with each further one. */
  retryAfterMs: number;
}

const concurrency = 6;
const attempts = 4;
const attemptWithinMs = 90_000; // the largest jar has 10 MB: a line of 1 Mbit/s is still enough

/** The jars that are absent, or are not, byte for byte, those of the manifest. Reads all of the cache. */
export async function missingJars({ directory, jars }: JarCache): Promise<Jar[]> {
  const whole = await Promise.all(
    jars.map(async (jar) => {
      const bytes = await readFile(jarFile(directory, jar)).catch(() => undefined);
      return bytes !== undefined && matches(jar, bytes);
    }),
  );
  return jars.filter((_, index) => !whole[index]);
}

/**
 * Fetches `missing` into the cache. A jar gets its name only when its checksum fits, by a rename: a half or
 * forged one is never used, and processes that fetch at the same time replace a file by the same bytes.
 * @throws Error saying which jar could not be had and why.
 */
export async function fetchJars(cache: JarCache, missing: readonly Jar[], progress: Progress): Promise<void> {
  await mkdir(cache.directory, { recursive: true });
  await removeAbandoned(cache.directory);
  const queue = [...missing];
  const stop = new AbortController(); // one jar that cannot be had ends the others too
  const worker = async () => {
    for (let jar = queue.shift(); jar && !stop.signal.aborted; jar = queue.shift()) {
      await fetchJar(cache, jar, stop.signal);
      progress.advance(jar.size);
    }
  };
  progress.start(missing.reduce((sum, jar) => sum + jar.size, 0));
  const workers = Array.from({ length: concurrency }, worker);
  try {
    await Promise.all(workers);
  } finally {
    stop.abort();
    await Promise.allSettled(workers); // nothing is written any more once this function has returned
    progress.stop();
  }
}

/** Where a jar lies in the cache. */
export function jarFile(directory: string, jar: Jar): string {
  return join(directory, basename(jar.path));
}

async function fetchJar(cache: JarCache, jar: Jar, stop: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await download(cache, jar, stop);
    } catch (error) {
      if (attempt === attempts || stop.aborted) {
        const { message, cause } = error as Error & { cause?: { message?: string } };
        const why = cause?.message || message; // fetch says "fetch failed" and keeps the reason in its cause
        throw new Error(`${basename(jar.path)} from ${cache.repository}: ${why}`, { cause: error });
      }
      await rest(backoffMs(attempt - 1, { firstMs: cache.retryAfterMs, sure: 1 }), stop);
    }
  }
}

async function download({ directory, repository }: JarCache, jar: Jar, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(attemptWithinMs)]);
  const response = await fetch(`${repository}/${jar.path}`, { signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`HTTP status ${response.status}`);
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!matches(jar, bytes)) throw new Error('its SHA-256 does not match the manifest');
  const temporary = `${jarFile(directory, jar)}.${randomUUID()}.part`;
  try {
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, jarFile(directory, jar));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function matches(jar: Jar, bytes: Buffer): boolean {
  return bytes.length === jar.size && createHash('sha256').update(bytes).digest('hex') === jar.sha256;
}
