import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { partitionOf, scopeKey } from '#session';
import { cpuSeconds } from '../bench/proc.js';
import { execute } from '../support/database.js';
import type { Service } from '../support/service.js';

/** What callers of one kind send, in turns over the connections. */
export interface Group {
  /** JSON; `USER` in it is one of `users` each time. */
  body?: string;
  users?: readonly string[];
}

/** See callers.js. */
export interface Order {
  path: string;
  method?: 'GET' | 'POST';
  groups: readonly Group[];
  connections: number;
  ms: number;
  rampMs?: number;
  /** Requests a second in all, at most. */
  rate?: number;
  headers?: Record<string, string>;
}

/** What the callers of a group were told. */
export interface Told {
  /** Milliseconds until each answer, by its status. */
  times: Record<string, number[]>;
  /** 503 without Retry-After. */
  unadvised: number;
  /** Requests whose connection broke. */
  broken: number;
}

const script = fileURLToPath(new URL('./callers.js', import.meta.url));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process of callers of some services. */
export function callersOf(...services: Service[]) {
  const child = fork(script);
  running.add(child);
  const ports = services.map(({ url }) => Number(new URL(url).port));
  return {
    async call(order: Order): Promise<Told[]> {
      child.send({ ports, ...order });
      const [told] = await once(child, 'message');
      return told;
    },
    end() {
      running.delete(child);
      child.kill();
    },
  };
}

export const starts: Pick<Order, 'path'> & { body: string } = {
  path: '/v1/sessions',
  body: '{"userId":"USER","owner":{"environment":"cloud-dev"}}',
};

let made = 0;

/** Users of a partition, or of any, that no other test has. */
export function usersOf(count: number, partition?: number, partitions = 16): string[] {
  const users: string[] = [];
  while (users.length < count) {
    const userId = `load-${process.pid}-${++made}`;
    const key = scopeKey({ tenant: 'default', userId, projectId: 'default' });
    if (partition === undefined || partitionOf(key, partitions) === partition) users.push(userId);
  }
  return users;
}

/** All latencies of the answers of one status, of several groups. */
export function timesOf(told: readonly Told[], isStatus: (status: number) => boolean): number[] {
  return told.flatMap(({ times }) =>
    Object.entries(times).flatMap(([status, each]) => (isStatus(Number(status)) ? each : [])),
  );
}

export const isObeyed = (status: number) => status >= 200 && status < 300;
export const isRefused = (status: number) => status >= 400;

export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

/** CPU seconds that Postgres has used so far, with all its processes. */
export async function postgresCpu(databaseUrl: string): Promise<number> {
  const { rows } = await execute(
    databaseUrl,
    "select pid from pg_stat_activity where backend_type = 'checkpointer'",
  );
  const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${rows[0].pid}/status`, 'utf8'))?.[1];
  return cpuSeconds(Number(parent));
}
