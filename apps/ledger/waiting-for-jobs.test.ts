import type { BulkWorker, Job, Jobs } from '#log';
import { Bulk } from './bulk.js';
import type { Caller } from './caller.js';
import type { ScopeWatch } from './streams/scope-watch.js';

const caller: Caller = { tenant: 'acme', principal: 'operator', operate: true };
const open = { id: 'job' } as Job;

/** A job that stays open until it is told to be finished, and those who wait for it, woken by hand. */
function waitedFor() {
  let job: Job | undefined = open;
  let reads = 0;
  const jobs = {
    read: async () => {
      reads += 1;
      return job;
    },
  } as unknown as Jobs;
  const wakes = new Set<() => void>();
  const watch = {
    closed: false,
    next: (_: string, __: number, signal: AbortSignal) =>
      signal.aborted ? Promise.resolve() : new Promise<void>((resolve) => wakes.add(resolve)),
  };
  return {
    bulk: new Bulk(jobs, undefined as unknown as BulkWorker, watch as unknown as ScopeWatch),
    reads: () => reads,
    /** Resolves when everybody has looked again. */
    async wake(now: Job | undefined = job) {
      job = now;
      const woken = [...wakes];
      wakes.clear();
      for (const one of woken) one();
      await new Promise(setImmediate);
    },
  };
}
const LONG_S = 60;
const here = new AbortController().signal;

test('at most 200 wait for jobs at once, and whoever is answered makes room', async () => {
  const { bulk, wake } = waitedFor();
  const waiting = Array.from({ length: 200 }, () => bulk.read(caller, 'job', LONG_S, here));
  await expect(bulk.read(caller, 'job', 0, here)).rejects.toMatchObject({ code: 'overloaded' });
  const finished = { ...open, finishedAt: '2026-01-01T00:00:00.000Z' };
  await wake(finished);
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => finished));
  for (let read = 0; read < 300; read++) await bulk.read(caller, 'job', LONG_S, here);
});

test('so does whoever asks for an unknown job', async () => {
  const bulk = new Bulk({ read: async () => undefined } as never, undefined as never, undefined as never);
  for (let read = 0; read < 300; read++)
    await expect(bulk.read(caller, 'job', 0, here)).rejects.toMatchObject({ code: 'unknown-job' });
});

test('nothing is read for a client that has gone', async () => {
  const { bulk, wake, reads } = waitedFor();
  const gone = new AbortController();
  const waiting = bulk.read(caller, 'job', 0.2, gone.signal);
  await new Promise(setImmediate);
  gone.abort();
  await wake();
  await waiting;
  expect(reads()).toBe(2);
});
