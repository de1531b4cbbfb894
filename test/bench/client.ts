/**
 * What the client costs, against a ledger that runs:
 * `node --expose-gc dist/test/bench/client.js <url of the ledger> <sessions to start first> <Kafka broker or none>`.
 * Ours and the reference take turns; only the ratios say something. A ledger with access control wants LEDGER_TOKEN or
 * LEDGER_TOKEN_FILE: a ledger-wide key of a tenant, with the permissions read, write and audit.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CurrentReplica, LedgerClient } from '#client';
import { tokenFromEnvironment } from '#client/node';
import { bearer } from './bearer.js';
import { followKafka, followStream } from './client-following.js';

const [, , url = 'http://127.0.0.1:4600', sessions = '20000', broker = 'none'] = process.argv;
const given = tokenFromEnvironment();
const token = typeof given === 'function' ? await given() : given;
const authorization = bearer(token);
const ledger = new LedgerClient({ url, ...(token && { token }) });
const owner = { environment: 'bench' };
const user = () => `bench-${crypto.randomUUID()}`;
const quantile = (sorted: number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;

interface Timed {
  clock: number;
  cpu: number;
}

/** Microseconds a call: on the clock, and of this process's processor time, which other work on the machine leaves alone. */
async function timed(times: number, work: () => Promise<unknown>): Promise<Timed> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  for (let done = 0; done < times; done++) await work();
  const { user, system } = process.cpuUsage(used);
  return { clock: ((performance.now() - began) * 1_000) / times, cpu: (user + system) / times };
}

/** Microseconds a call, one after the other: bare fetch, one that would be given up in time, and the client. */
async function calls() {
  const scope = { userId: user(), projectId: 'default' };
  await ledger.join({ ...scope, owner });
  const address = `${url}/v1/current?userId=${scope.userId}&projectId=default`;
  const bareRead = async () => (await fetch(address, { headers: authorization })).json();
  const timedRead = async () => {
    const signal = AbortSignal.timeout(12_000);
    return (await fetch(address, { headers: authorization, signal })).json();
  };
  const bareStart = async () => {
    const headers = {
      ...{ 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
      ...authorization,
    };
    const body = JSON.stringify({ userId: user(), owner });
    return (await fetch(`${url}/v1/sessions`, { method: 'POST', headers, body })).json();
  };
  const start = () => ledger.call('startSession', { body: { userId: user(), owner } });
  const read = () => ledger.current(scope);
  // In short turns, and a ratio for each round: what else the machine does meets both sides alike.
  for (const [name, times, reference, ours] of [
    ['Read, to bare fetch', 100, bareRead, read],
    ['Read, to fetch with a time-out', 100, timedRead, read],
    ['Start, to bare fetch', 30, bareStart, start],
  ] as const) {
    const turns: [Timed, Timed][] = [];
    for (let round = 0; round < 21; round++)
      turns.push([await timed(times, reference), await timed(times, ours)]);
    const shown = (['clock', 'cpu'] as const).map((of) => {
      const median = (one: (turn: [Timed, Timed]) => number) => {
        const sorted = turns.slice(1).map(one);
        return quantile(
          sorted.sort((a, b) => a - b),
          0.5,
        );
      };
      const [theirs, mine] = [median(([one]) => one[of]), median(([, one]) => one[of])];
      const ratio = median(([one, other]) => other[of] / one[of]);
      return `${of} ${theirs.toFixed(0)} µs, client ${mine.toFixed(0)} µs, ${ratio.toFixed(2)}`;
    });
    console.log(`${name}: ${shown.join('; ')}`);
  }
}

/** Milliseconds from the answer to the one who superseded until the old owner's listener is called. */
async function losses(rounds: number) {
  const other = new LedgerClient({ url });
  const delays: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const scope = { userId: user() };
    const mine = await ledger.start({ ...scope, owner, lease: { seconds: 60 } });
    const lost = new Promise<number>((resolve) => mine.onLost(() => resolve(performance.now())));
    await pause(20);
    const began = performance.now();
    const next = await other.start({ ...scope, owner: { environment: 'other' }, lease: { seconds: 60 } });
    delays.push((await lost) - began);
    next.abandon();
  }
  delays.sort((a, b) => a - b);
  const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)];
  console.log(`Start sent → lost, ${rounds} rounds: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
}

async function fill(count: number) {
  const lanes = Array.from({ length: 64 }, async () => {
    for (let done = 0; done < count / 64; done++)
      await ledger.call('startSession', { body: { userId: user(), owner } });
  });
  await Promise.all(lanes);
}

async function replica() {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const began = performance.now();
  const one = await CurrentReplica.open({ ledger });
  const ms = performance.now() - began;
  globalThis.gc?.();
  const bytes = (process.memoryUsage().heapUsed - before) / one.size;
  console.log(
    `Replica of ${one.size} scopes: booted in ${ms.toFixed(0)} ms, ${bytes.toFixed(0)} B of heap a scope`,
  );
  await one.close();
}

await calls();
await losses(300);
await fill(Number(sessions));
await followStream(ledger, authorization);
if (broker !== 'none') await followKafka(ledger, broker);
await replica();
ledger.close();
process.exit(0);
