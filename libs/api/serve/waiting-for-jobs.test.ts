import { callerOf, type JobState, type Ledger, unkeyed } from '../index.js';
import { serving } from './index.js';

const caller = callerOf({
  tenant: 'acme',
  ledgerWide: false,
  principal: 'operator',
  permissions: ['operate'],
});
const open = { id: 'job', after: { partition: 0 } } as JobState;
const LONG_S = 60;

/** A job that stays open until it is told to be finished, and those who wait for it, woken by hand. */
function waitedFor() {
  let job = open;
  let reads = 0;
  const wakes = new Set<() => void>();
  const ledger = {
    partitions: 16,
    jobs: {
      read: async () => {
        reads += 1;
        return job;
      },
    },
    watch: {
      closed: false,
      next: (_: string, __: number, signal: AbortSignal) =>
        signal.aborted ? Promise.resolve() : new Promise<void>((resolve) => wakes.add(resolve)),
    },
  } as unknown as Ledger;
  return {
    read: async (wait: number, gone = new AbortController().signal) => {
      const asked = { ...unkeyed(caller), params: { jobId: 'job' }, query: { wait }, gone: () => gone };
      return serving.bulkJob(asked as never, ledger);
    },
    reads: () => reads,
    /** Resolves when everybody has looked again. */
    async wake(now = job) {
      job = now;
      const woken = [...wakes];
      wakes.clear();
      for (const one of woken) one();
      await new Promise(setImmediate);
    },
  };
}

test('at most 200 wait for jobs at once, and whoever is answered makes room', async () => {
  const { read, wake } = waitedFor();
  const waiting = Array.from({ length: 200 }, () => read(LONG_S));
  await expect(read(0)).rejects.toMatchObject({ code: 'overloaded' });
  await wake({ ...open, finishedAt: '2026-01-01T00:00:00.000Z' });
  for (const { body } of await Promise.all(waiting)) expect(body).toMatchObject({ state: 'finished' });
  for (let count = 0; count < 300; count++) await read(LONG_S);
});

test('so does whoever asks for an unknown job', async () => {
  const { jobs } = { jobs: { read: async () => undefined } };
  const asked = { ...unkeyed(caller), params: { jobId: 'job' }, query: {}, gone: () => AbortSignal.any([]) };
  for (let count = 0; count < 300; count++) {
    const answer = serving.bulkJob(asked as never, { jobs } as unknown as Ledger);
    await expect(answer).rejects.toMatchObject({ code: 'unknown-job' });
  }
});

test('nothing is read for a client that has gone', async () => {
  const { read, wake, reads } = waitedFor();
  const gone = new AbortController();
  const waiting = read(0.2, gone.signal);
  await new Promise(setImmediate);
  gone.abort();
  await wake();
  await waiting;
  expect(reads()).toBe(2);
});
