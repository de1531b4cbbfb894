import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, startKafka, startPostgres } from '#dev-stack';
import type { Costs } from './harness.js';
import { cpuSeconds, peakMemory, sharedMemory } from './proc.js';

/** Segments of Postgres' log, 16 MiB each, that lie ready in the beginning: what a quick run writes. */
const SEGMENTS = 24;

/** The servers under the workloads, in a temporary directory. */
export interface Stack {
  /** Postgres' own process. */
  postgresPid: number;
  /** Undefined: not asked for, or it cannot be had here. */
  kafkaBrokers: string[] | undefined;
  /** Makes an empty database; the URL of it. */
  createDatabase(name: string): Promise<string>;
}

/** What has to be undone at the end, last first. Whatever happens, each is tried. */
export class Cleanup {
  private readonly steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.steps.push(step);
  }

  /** Undoes everything that was added since the last call; resolves to the errors of those that failed. */
  async run(): Promise<unknown[]> {
    const errors: unknown[] = [];
    while (this.steps.length > 0) {
      try {
        await this.steps.pop()?.();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}

/** Starts Postgres, with fsync as it comes, and if asked for Kafka beside it. */
export async function startStack(kafka: boolean, cleanup: Cleanup, segments = SEGMENTS): Promise<Stack> {
  // What a killed run leaves behind under this name is removed by the next run of the test suite.
  const directory = await mkdtemp(join(tmpdir(), `session-ledger-test-${process.pid}-`));
  cleanup.add(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const log = () => {};
  const starting = Promise.allSettled([
    freePort().then((port) =>
      startPostgres({ dataDir: join(directory, 'postgres'), port, superuser: true, log }),
    ),
    kafka
      ? freePort().then((port) => startKafka({ dataDir: join(directory, 'kafka'), port, log }))
      : undefined,
  ]);
  // Also those that come up only after the run was stopped.
  cleanup.add(async () => {
    const parts = await starting;
    await Promise.all(parts.map((part) => part.status === 'fulfilled' && part.value?.stop()));
  });
  const [postgres, broker] = await starting;
  if (postgres.status === 'rejected') throw postgres.reason;
  if (broker.status === 'rejected') throw broker.reason;
  const { url } = postgres.value;
  await age(url, segments);
  const pidFile = join(directory, 'postgres', 'cluster', 'postmaster.pid');
  return {
    postgresPid: Number.parseInt(await readFile(pidFile, 'utf8'), 10),
    kafkaBrokers: broker.value?.brokers,
    async createDatabase(name) {
      await execute(url, `create database ${name}`);
      return Object.assign(new URL(url), { pathname: name }).href;
    },
  };
}

/**
 * As after some time: segments of the log lie ready to be used again, and Postgres has used half as much of its shared
 * memory. In a new server each segment that is used for the first time is filled with zeros while all commits wait, for
 * 25 to 70 ms here; each page of memory is fetched from the system, which was an eighth of what a command cost Postgres.
 */
async function age(url: string, segments: number): Promise<void> {
  await execute(url, `alter system set min_wal_size = '${segments * 16}MB'`);
  await execute(url, 'select pg_reload_conf()');
  for (let segment = 0; segment < segments; segment++) {
    await execute(url, "select pg_logical_emit_message(false, '', ''), pg_switch_wal()");
  }
  // Unlogged, one row a page: nothing but memory is used, and free again when the table is gone.
  await execute(url, 'create unlogged table pages (filler text storage plain)');
  await execute(
    url,
    `insert into pages select repeat(' ', 7900) from generate_series(1, ${segments * 1_024})`,
  );
  await execute(url, 'drop table pages');
  await execute(url, 'checkpoint');
}

/** Runs one statement on a connection of its own. */
export async function execute(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * CPU seconds that the parts spend while `work` runs, and what they need in memory (MiB): of `postgres` what
 * all of its processes hold right after it, of every other part the most that it has held since its start.
 */
export async function metered<T>(pids: Record<string, number>, work: () => Promise<T>): Promise<T & Costs> {
  const before = Object.entries(pids).map(([part, pid]) => ({ part, pid, seconds: cpuSeconds(pid) }));
  const done = await work();
  const cpu = before.map(({ part, pid, seconds }) => [part, cpuSeconds(pid) - seconds]);
  const memory = before.flatMap(({ part, pid }) => {
    const mib = part === 'postgres' ? sharedMemory(pid) : peakMemory(pid);
    return mib === undefined ? [] : [[part, mib]];
  });
  return { ...done, cpu: Object.fromEntries(cpu), memory: Object.fromEntries(memory) };
}
