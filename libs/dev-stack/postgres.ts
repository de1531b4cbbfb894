import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { claimDirectory } from './claim.js';
import { DevStackError } from './errors.js';
import { requireFreePort } from './ports.js';
import { type Account, findAccount } from './postgres-account.js';
import { type Binaries, findBinaries } from './postgres-binaries.js';
import { createCluster, requireSameMajor } from './postgres-cluster.js';
import { settingArguments } from './postgres-settings.js';
import { commandLine, type StopStep, stopProcess } from './processes.js';
import { lastLines, launch, type Server } from './server.js';
import { eventually } from './wait.js';

/** Where the embedded Postgres lives, and whom to tell about it. */
export interface PostgresOptions {
  /** Holds `cluster/` (the data), `postgres.log` and `owner.json`; made when absent. */
  dataDir: string;
  port: number;
  /** Gets whole lines meant for people. */
  log(line: string): void;
}

/** A running Postgres. */
export interface RunningPostgres {
  /** `postgres://…` of the database `ledger`, which exists. */
  url: string;
  /** Ends connections and stops the server; within 19 s, usually at once. The data stays. */
  stop(): Promise<void>;
}

const name = 'ledger'; // of the user, the password and the database: it is on loopback only

/** SIGINT ends sessions and writes a checkpoint; SIGQUIT leaves that to the recovery of the next start. */
const stopSteps: readonly [StopStep, ...StopStep[]] = [
  { signal: 'SIGINT', waitMs: 12_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
];

/** Recovery after a crash reads up to max_wal_size of log again, on a slow disk too: 3.8 GB took 37 s on two cores. */
const startWithinMs = 120_000;
/** Who waits longer is told why. */
const tellAfterMs = 2_000;
/** `cannot_connect_now`: it starts, recovers or stops. */
const NOT_YET = '57P03';

/**
 * Starts a Postgres of our own on 127.0.0.1, making its database when absent. A server that a killed run
 * left behind on the same data is stopped first (not reused: its settings and port may be old ones).
 * @throws DevStackError with one line that says what to do: the port is in use, the data are of another
 * major version (nothing is touched), another live process owns them, the server does not come up.
 */
export async function startPostgres({ dataDir, port, log }: PostgresOptions): Promise<RunningPostgres> {
  const directory = resolve(dataDir);
  const cluster = join(directory, 'cluster');
  const binaries = await findBinaries();
  await requireSameMajor(cluster, binaries.major);
  await mkdir(directory, { recursive: true });
  const giveBack = await claimDirectory(directory, 'Postgres');
  try {
    await stopLeftoverPostgres(directory, log);
    await requireFreePort(port, 'Postgres', 'POSTGRES_PORT');
    const account = await findAccount(binaries.postgres, cluster);
    if (await createCluster(cluster, name, binaries, account)) {
      log(`Postgres: made a new, empty database in ${directory}`);
    }
    const server = await startServer(cluster, port, binaries, account, log);
    log(`Postgres ${binaries.version} on 127.0.0.1:${port}, data in ${directory}`);
    return {
      url: url(port, name),
      stop: () => server.stop().finally(giveBack),
    };
  } catch (error) {
    await giveBack();
    throw error;
  }
}

/** Stops the Postgres that runs on the data below `dataDir`, if any, whoever started it. */
export async function stopLeftoverPostgres(dataDir: string, log: (line: string) => void): Promise<void> {
  const cluster = join(resolve(dataDir), 'cluster');
  const pidFile = join(cluster, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (!(pid > 0)) return;
  // The pid may belong to somebody else by now; only a command line with our directory is ours.
  const ours = async () => (await commandLine(pid)).includes(`-D ${cluster} `);
  if (await ours()) {
    if (!(await stopProcess(pid, ours, stopSteps))) {
      throw new DevStackError(`Postgres: process ${pid} of an earlier run does not end; stop it by hand`);
    }
    log(`Postgres: stopped process ${pid}, which an earlier run had left behind`);
  }
  // Postgres would refuse to start while *any* process of its account has that pid, as after a reboot.
  await rm(pidFile, { force: true });
}

async function startServer(
  cluster: string,
  port: number,
  binaries: Binaries,
  account: Account,
  log: (line: string) => void,
): Promise<Server> {
  const logFile = join(dirname(cluster), 'postgres.log');
  const server = await launch({
    ...account.running(binaries.postgres, ['-D', cluster, '-p', String(port), ...settingArguments()]),
    logFile,
    stopSteps,
    onUnexpectedEnd: (how) => log(`Postgres: ended by itself (${how}), see ${logFile}`),
  });
  try {
    await ensureDatabase(port, () => server.ended(), log);
    return server;
  } catch (error) {
    await server.stop();
    throw new DevStackError(
      `Postgres: did not come up: ${(error as Error).message}; ${logFile} ends with: ${await lastLines(logFile)}`,
      { cause: error },
    );
  }
}

/** Waits until the server answers, and makes the database `ledger` when it is not there. */
async function ensureDatabase(
  port: number,
  ended: () => string | undefined,
  log: (line: string) => void,
): Promise<void> {
  let refused = 'no answer';
  let tellAt = performance.now() + tellAfterMs;
  const client = await eventually(
    async () => {
      if (ended()) throw new Error(`it ended with ${ended()}`);
      const connecting = new pg.Client({
        connectionString: url(port, 'postgres'),
        connectionTimeoutMillis: 5_000,
      });
      connecting.on('error', (error) => {
        refused = error.message; // a connection that breaks while idle must not become an uncaught error
      });
      return connecting.connect().then(
        () => connecting,
        (error: Error & { code?: string }) => {
          refused = error.message; // not listening yet, or recovering
          if (error.code === NOT_YET && performance.now() > tellAt) {
            log('Postgres: is still starting; after a crash it reads its log again, which may take a minute');
            tellAt = Number.POSITIVE_INFINITY;
          }
          return undefined;
        },
      );
    },
    { withinMs: startWithinMs, everyMs: 15 },
  );
  if (!client) throw new Error(`${refused} within ${startWithinMs / 1000} s`);
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
}

function url(port: number, database: string): string {
  return `postgres://${name}:${name}@127.0.0.1:${port}/${database}`;
}
