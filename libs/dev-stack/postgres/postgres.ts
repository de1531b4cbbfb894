import { chmod, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { eventually } from '#waiting';
import { claimDirectory } from '../claim.js';
import { aboutFiles, DevStackError } from '../errors.js';
import { keepRunning, type Restarts } from '../keep-running.js';
import { requireFreePort } from '../ports.js';
import { commandLine, type StopStep, stopProcess } from '../processes.js';
import { lastLines, launch, rotateLog, type Server } from '../server.js';
import { type Account, findAccount, WORKING_DIRECTORY } from './postgres-account.js';
import { type Binaries, findBinaries } from './postgres-binaries.js';
import { createCluster, requireSameMajor } from './postgres-cluster.js';
import { withinReach } from './postgres-copy.js';
import { LEDGER, provideLogin, SUPERUSER } from './postgres-login.js';
import { settingArguments } from './postgres-settings.js';

/** Where the embedded Postgres lives, and whom to tell about it. */
export interface PostgresOptions extends Restarts {
  /** Holds `cluster/` (the data), `password`, `postgres.log` and `owner.json`; made when absent. Only our account may enter it. */
  dataDir: string;
  port: number;
  /** As root, holds a copy of the programs when their account cannot read npm's; default `/var/lib/session-ledger`. */
  cacheDir?: string | undefined;
  /** Whether its login may do everything, databases of tests included. Only looked at when the login is made. */
  superuser?: boolean | undefined;
  /** Gets whole lines meant for people. */
  log(line: string): void;
}

/** A running Postgres. */
export interface RunningPostgres {
  /** `postgres://…` of the database `ledger`, which exists and which its login owns; with the password. */
  url: string;
  /** Ends connections and stops the server; within 19 s, usually at once. The data stays. */
  stop(): Promise<void>;
}

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
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { port, log } = options;
  const directory = resolve(options.dataDir);
  const cluster = join(directory, 'cluster');
  const npms = await findBinaries();
  await requireSameMajor(cluster, npms.major);
  const giveBack = await claimDirectory(directory, 'Postgres');
  try {
    await stopLeftoverPostgres(directory, log);
    await requireFreePort(port, 'Postgres', 'POSTGRES_PORT');
    const account = await findAccount(cluster);
    // Elsewhere than on Linux, an account that is not ours has to go through it.
    if (!account.owner || account.on(cluster).path === WORKING_DIRECTORY) await chmod(directory, 0o700);
    const binaries = await withinReach(npms, account, options.cacheDir ?? '/var/lib/session-ledger', log);
    if (await createCluster(cluster, SUPERUSER, binaries, account)) {
      log(`Postgres: created a new, empty database in ${directory}`);
    }
    const { superuser = false } = options;
    const password = await provideLogin({ directory, cluster, binaries, account, superuser });
    const logFile = join(directory, 'postgres.log');
    await rotateLog(logFile);
    const start = (stopping: AbortSignal) =>
      startServer({ cluster, port, password, binaries, account, logFile, log, stopping });
    const server = await keepRunning({ ...options, name: 'Postgres', logFile, start });
    log(`Postgres ${binaries.version} on 127.0.0.1:${port}, data in ${directory}`);
    return {
      url: url(port, password),
      stop: () => server.stop().finally(giveBack),
    };
  } catch (error) {
    await giveBack();
    throw aboutFiles('Postgres', error);
  }
}

/** Stops the Postgres that runs on the data below `dataDir`, if any, whoever started it. */
export async function stopLeftoverPostgres(dataDir: string, log: (line: string) => void): Promise<void> {
  const cluster = join(resolve(dataDir), 'cluster');
  const pidFile = join(cluster, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (!(pid > 0)) return;
  // The pid may belong to somebody else by now; only one that works on our directory is ours.
  const ours = () => worksOn(pid, cluster);
  if (await ours()) {
    if (!(await stopProcess(pid, ours, stopSteps))) {
      throw new DevStackError(`Postgres: process ${pid} of an earlier run does not end; stop it by hand`);
    }
    log(`Postgres: stopped process ${pid}, which an earlier run had left behind`);
  }
  // Postgres would refuse to start while *any* process of its account has that pid, as after a reboot.
  await rm(pidFile, { force: true });
}

/** Whether a process is a Postgres with this data, started by an account in its own way or by its path. */
async function worksOn(pid: number, cluster: string): Promise<boolean> {
  const line = await commandLine(pid);
  if (line.includes(`-D ${cluster} `)) return true;
  if (!line.includes(`-D ${WORKING_DIRECTORY} `)) return false;
  const [at, wanted] = await Promise.all([readlink(`/proc/${pid}/cwd`), realpath(cluster)].map(orNothing));
  return at !== undefined && at === wanted;
}

function orNothing(path: Promise<string>): Promise<string | undefined> {
  return path.catch(() => undefined);
}

interface Start {
  cluster: string;
  port: number;
  password: string;
  binaries: Binaries;
  account: Account;
  logFile: string;
  log(line: string): void;
  stopping: AbortSignal;
}

async function startServer({
  cluster,
  port,
  password,
  binaries,
  account,
  logFile,
  log,
  stopping,
}: Start): Promise<Server> {
  await requireFreePort(port, 'Postgres', 'POSTGRES_PORT'); // or a stranger's would be taken for ours
  const { path, options } = account.on(cluster);
  const server = await launch({
    command: binaries.postgres,
    args: ['-D', path, '-p', String(port), ...settingArguments()],
    options,
    logFile,
    stopSteps,
    stopping,
  });
  try {
    await untilUp(url(port, password), () => server.ended(), log);
    return server;
  } catch (error) {
    await server.stop();
    throw new DevStackError(
      `Postgres: did not come up: ${(error as Error).message}; ${logFile} ends with: ${await lastLines(logFile)}`,
      { cause: error },
    );
  }
}

/** Waits until the server answers. */
async function untilUp(
  connectionString: string,
  ended: () => string | undefined,
  log: (line: string) => void,
): Promise<void> {
  let refused = 'no answer';
  let tellAt = performance.now() + tellAfterMs;
  const client = await eventually(
    async () => {
      if (ended()) throw new Error(`it ended with ${ended()}`);
      const connecting = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
      connecting.on('error', (error) => {
        refused = error.message; // a connection that breaks while idle must not become an uncaught error
      });
      return connecting.connect().then(
        () => connecting,
        (error: Error & { code?: string }) => {
          refused = error.message; // not listening yet, or recovering
          if (error.code === NOT_YET && performance.now() > tellAt) {
            log('Postgres: still starting; after a crash it replays its log, which may take a minute');
            tellAt = Number.POSITIVE_INFINITY;
          }
          return undefined;
        },
      );
    },
    { withinMs: startWithinMs, everyMs: 15 },
  );
  if (!client) throw new Error(`${refused} within ${startWithinMs / 1000} s`);
  await client.end();
}

function url(port: number, password: string): string {
  return `postgres://${LEDGER}:${password}@127.0.0.1:${port}/${LEDGER}`;
}
