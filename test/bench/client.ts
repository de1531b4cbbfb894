/**
 * What the client costs, against a ledger that runs: `node dist/test/bench/client.js http://127.0.0.1:4600`.
 * Ours and the reference take turns; only the ratios say something.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CurrentReplica, Follower, LedgerClient } from '#client';

const url = process.argv[2] ?? 'http://127.0.0.1:4600';
const ledger = new LedgerClient({ url });
const owner = { environment: 'bench' };
const user = () => `bench-${crypto.randomUUID()}`;
const quantile = (sorted: number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;

async function timed(times: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (let done = 0; done < times; done++) await work();
  return ((performance.now() - began) * 1_000) / times;
}

/** Microseconds a call, one after the other: bare fetch, and through the client. */
async function calls() {
  const scope = { userId: user(), projectId: 'default' };
  await ledger.join({ ...scope, owner });
  const bareRead = async () =>
    (await fetch(`${url}/v1/current?userId=${scope.userId}&projectId=default`)).json();
  const bareStart = async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
    const body = JSON.stringify({ userId: user(), owner });
    return (await fetch(`${url}/v1/sessions`, { method: 'POST', headers, body })).json();
  };
  const start = () => ledger.call('startSession', { body: { userId: user(), owner } });
  const figures: Record<string, number[]> = { bareRead: [], read: [], bareStart: [], start: [] };
  for (let round = 0; round < 6; round++) {
    figures.bareRead?.push(await timed(1_000, bareRead));
    figures.read?.push(await timed(1_000, () => ledger.current(scope)));
    figures.bareStart?.push(await timed(300, bareStart));
    figures.start?.push(await timed(300, start));
  }
  const median = (name: string) =>
    quantile(
      (figures[name] ?? []).slice(1).sort((a, b) => a - b),
      0.5,
    );
  for (const name of ['Read', 'Start']) {
    const [bare, ours] = [median(`bare${name}`), median(name.toLowerCase())];
    console.log(
      `${name}: bare fetch ${bare.toFixed(0)} µs, client ${ours.toFixed(0)} µs, ${(ours / bare).toFixed(2)}`,
    );
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

/** Events a second: the stream read and thrown away, the stream parsed, and followed. */
async function following() {
  const heads: number[] = [];
  for (let partition = 0; partition < 16; partition++) {
    let head = 0;
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: { events: unknown[]; next?: number } = await ledger.call('feed', {
        query: { partition, after, limit: 500 },
      });
      head = after + page.events.length;
      after = page.next;
    }
    heads.push(head);
  }
  const total = heads.reduce((sum, head) => sum + head, 0);
  const from = heads.map(() => '0').join('.');
  const bare = async () => {
    const gone = new AbortController();
    const { body } = await fetch(`${url}/v1/feed/stream`, {
      headers: { 'last-event-id': from },
      signal: gone.signal,
    });
    const decoder = new TextDecoder();
    let [count, rest] = [0, ''];
    for await (const chunk of body as ReadableStream<Uint8Array>) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const at = block.indexOf('data: ');
        if (at < 0) continue;
        JSON.parse(block.slice(at + 6));
        count += 1;
      }
      if (count >= total) break;
    }
    gone.abort();
  };
  const followed = async () => {
    let count = 0;
    let [resolve, reject] = [() => {}, (_: unknown) => {}];
    const done = new Promise<void>((...both) => {
      [resolve, reject] = both;
    });
    const follower = new Follower({
      ledger,
      from: 'beginning',
      onEvents(events) {
        count += events.length;
        if (count >= total) resolve();
      },
      onStopped: (why) => reject(why),
    });
    await done;
    await follower.stop();
  };
  const rates: Record<string, number[]> = { bare: [], followed: [] };
  for (let round = 0; round < 4; round++) {
    for (const [name, work] of Object.entries({ bare, followed })) {
      const began = performance.now();
      await work();
      rates[name]?.push((total * 1_000) / (performance.now() - began));
    }
  }
  const median = (name: string) =>
    quantile(
      (rates[name] ?? []).slice(1).sort((a, b) => a - b),
      0.5,
    );
  const [reference, ours] = [median('bare'), median('followed')];
  const ratio = (ours / reference).toFixed(2);
  console.log(
    `Stream, ${total} events: bare ${reference.toFixed(0)}/s, follower ${ours.toFixed(0)}/s, ${ratio}`,
  );
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
await fill(Number(process.argv[3] ?? 20_000));
await following();
await replica();
ledger.close();
process.exit(0);
