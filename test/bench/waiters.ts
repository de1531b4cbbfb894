// What it costs that thousands wait for a change, and how soon they hear of one. Run by hand, a minute:
//   npm run build && npx tsc -p test/bench && node dist/test/bench/waiters.js
import 'reflect-metadata';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { byHand, say } from './by-hand.js';
import { spreadOf } from './harness.js';
import { residentMemory } from './proc.js';
import { startService } from './processes.js';
import { scopeNumber, startBody } from './scopes.js';
import { seed } from './seed.js';
import { execute, startStack } from './stack.js';

const WAITERS = 5_000;
const SUPERSEDES = 300;
const IDLE_MS = 10_000;
/** An idle connection tells its figures 10 s late. */
const SETTLE_MS = 11_000;
/** Longer than the run. */
const WAIT_SECONDS = 60;

const agent = new Agent({ keepAlive: true, maxSockets: WAITERS + 10 });

await byHand(120_000, async (cleanup, signal) => {
  cleanup.add(() => agent.destroy());
  const stack = await startStack(false, cleanup);
  const DATABASE_URL = await stack.createDatabase('waiters');
  await seed(DATABASE_URL, WAITERS, signal);
  const { pid, port } = await startService({ DATABASE_URL, KAFKA_BROKERS: 'none' }, cleanup);
  const ask = (method: string, path: string, body?: object) => answered(port, method, path, body);
  for (let n = 0; n < 500; n++) await ask('POST', '/v1/sessions', startBody(WAITERS + n)); // warm
  const administrator = Object.assign(new URL(DATABASE_URL), { pathname: 'postgres' }).href;
  const transactions = () => committed(administrator, 'waiters');

  await sleep(SETTLE_MS);
  const before = { memory: residentMemory(pid), rate: await rateOf(transactions) };
  const waiting = Array.from({ length: WAITERS }, (_, n) => ask('GET', waitPath(n)));
  while (!(await ask('GET', '/metrics')).text.includes(`\nledger_waiters ${WAITERS}\n`)) await sleep(100);
  await sleep(SETTLE_MS);
  const idle = { memory: residentMemory(pid), rate: await rateOf(transactions) };

  const delays = { request: [] as number[], answer: [] as number[] };
  for (let n = 0; n < SUPERSEDES; n++) {
    signal.throwIfAborted();
    const asked = performance.now();
    const superseded = await ask('POST', '/v1/sessions', startBody(n));
    if (superseded.status !== 201) throw new Error(`a start was answered ${superseded.status}`);
    const heard = await waiting[n]!;
    if (heard.status !== 200) throw new Error(`a waiter was answered ${heard.status}`);
    delays.request.push(heard.at - asked);
    delays.answer.push(Math.max(0, heard.at - superseded.at));
  }
  say(`memory of the service: ${mib(before.memory)}, with ${WAITERS} who wait ${mib(idle.memory)}`);
  say(`transactions a second in Postgres: ${before.rate.toFixed(0)}, with them ${idle.rate.toFixed(0)}`);
  say(`${SUPERSEDES} supersedes meanwhile, until the old owner's wait is answered:`);
  say(`  from the new owner's request ${spreadOf(delays.request)}`);
  say(`  from the new owner's answer  ${spreadOf(delays.answer)}`);
});

/** Waits for the session after the first one of the `n`th scope. */
function waitPath(n: number): string {
  const { userId, projectId } = scopeNumber(n);
  return `/v1/current?userId=${userId}&projectId=${encodeURIComponent(projectId)}&after=1&wait=${WAIT_SECONDS}`;
}

interface Answered {
  status: number;
  text: string;
  /** When its end came, by performance.now(). */
  at: number;
}

function answered(port: number, method: string, path: string, body?: object): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = body && { 'content-type': 'application/json' };
    const call = request({ host: '127.0.0.1', port, method, path, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text, at: performance.now() }));
    });
    call.once('error', reject).end(body && JSON.stringify(body));
  });
}

/** Transactions that a database has committed, as far as its connections have told. */
async function committed(administrator: string, database: string): Promise<number> {
  const { rows } = await execute(
    administrator,
    `select xact_commit::int as count from pg_stat_database where datname = '${database}'`,
  );
  return rows[0].count;
}

async function rateOf(count: () => Promise<number>): Promise<number> {
  const [from, began] = [await count(), performance.now()];
  await sleep(IDLE_MS);
  return ((await count()) - from) / ((performance.now() - began) / 1_000);
}

function mib(value: number): string {
  return `${value.toFixed(0)} MiB`;
}
