import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '#dev-stack';
import { bearer } from './bearer.js';
import type { Turn } from './harness.js';
import { settings } from './ledger.js';
import type { LoadOrder, LoadReport } from './load.js';
import type { Cleanup } from './stack.js';

const START_MS = 20_000;
const STOP_MS = 5_000;
/** The longest that one turn of load may last beyond its own time. */
const LATE_MS = 10_000;

/** A server of ours in a process of its own. */
export interface Served {
  pid: number;
  port: number;
}

function fileOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

/** Starts the service as it is started in production, and waits until it is ready. */
export async function startService(
  env: { DATABASE_URL: string; KAFKA_BROKERS: string; LEDGER_ROLES?: string; LEDGER_ACCESS?: string },
  cleanup: Cleanup,
  profileDir?: string,
): Promise<Served> {
  const port = await freePort();
  const profile = profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : [];
  const flags = ['--max-semi-space-size=16', '--heap-growing-percent=100', ...profile]; // as npm start has it
  const service = spawn(process.execPath, [...flags, fileOf('../../apps/ledger/main.js')], {
    env: { PATH: process.env.PATH, ...settings(), ...env, PORT: String(port), LEDGER_MIGRATE: 'at-start' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  cleanup.add(() => end(service));
  for (const until = performance.now() + START_MS; performance.now() < until; await sleep(50)) {
    if (service.exitCode !== null) break;
    if (await isReady(port, env.KAFKA_BROKERS !== 'none')) return { pid: service.pid!, port };
  }
  throw new Error('the service did not become ready');
}

/** Waits until the service's projector has come to the end of the log: it works beside the requests. */
export async function projected({ port }: Served, signal: AbortSignal, token?: string): Promise<void> {
  const headers = bearer(token);
  for (let behind = 1; behind > 0 && !signal.aborted; await sleep(20)) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/stats?limit=1`, { signal, headers });
    ({ behind } = ((await answer.json()) as { projection: { behind: number } }).projection);
  }
}

/** Starts the bare servers that the service is compared with. */
export async function startPeers(databaseUrl: string, cleanup: Cleanup): Promise<Served> {
  const peers = fork(fileOf('./peers/server.js'), [databaseUrl]);
  cleanup.add(() => end(peers));
  return { pid: peers.pid!, port: await message<number>(peers, START_MS) };
}

/** Starts the process that makes the load; each call of the result is one turn, and rejects on any failed request. */
export function startLoad(cleanup: Cleanup): { pid: number; turn(order: LoadOrder): Promise<Turn> } {
  const generator = fork(fileOf('./load.js'));
  cleanup.add(() => end(generator));
  return {
    pid: generator.pid!,
    async turn(order) {
      generator.send(order);
      const { latencies, failure } = await message<LoadReport>(generator, order.ms + LATE_MS);
      if (failure) throw new Error(`load on ${order.path}: ${failure}`);
      return { seconds: order.ms / 1_000, ops: latencies.length, latencies };
    },
  };
}

/** The next message of a process; rejects when it ends, or says nothing within `ms`. */
export async function message<T>(child: ChildProcess, ms: number): Promise<T> {
  const heard = new AbortController();
  const signal = AbortSignal.any([heard.signal, AbortSignal.timeout(ms)]);
  try {
    const ended = once(child, 'exit', { signal }).then(() => Promise.reject(new Error('a process ended')));
    const [said] = await Promise.race([once(child, 'message', { signal }), ended]);
    return said as T;
  } finally {
    heard.abort();
  }
}

async function isReady(port: number, relaying: boolean): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
      signal: AbortSignal.timeout(2_000),
    });
    const { relay, relayPartitions } = (await response.json()) as {
      relay: string;
      relayPartitions?: { standby: number };
    };
    return response.ok && (!relaying || (relay === 'relaying' && relayPartitions?.standby === 0));
  } catch {
    return false; // it does not listen yet
  }
}

/** Ends a process of ours, and waits for it. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(late);
}
