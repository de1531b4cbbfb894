import { KeyFileError, LogError } from '#log';
import 'reflect-metadata';
import { announceLedger, DevStackError } from '#dev-stack';
import { isAway, isRefused, PostgresAway } from '#postgres';
import { rest } from '#waiting';
import { createApp } from './app.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { Faults } from './faults.js';
import { TlsUnusable } from './http/tls.js';
import { openLog } from './log.js';
import { Metrics } from './metrics.js';
import { openReplica, type Replica } from './replica.js';
import { startStack } from './stack.js';
import { openTracing } from './tracing.js';
import { version } from './version.js';

const OPEN_TO_ALL =
  'Everybody who reaches this address may do everything: LEDGER_WITHOUT_ACCESS_CONTROL is for one version more. ' +
  'Set LEDGER_ACCESS=required instead (docs/access.md).';

/** The longest that stopping may take before what is left is given up. */
const STOP_MS = 10_000;

/** Exit codes. 69 is EX_UNAVAILABLE of sysexits.h: nothing here is wrong, what it runs on is gone. */
const [DONE, FAILED, UNAVAILABLE] = [0, 1, 69];

const leaving = new AbortController();

/** How to stop what this process has started, in the order in which it started. */
const started: (() => Promise<void>)[] = [];

// Before the settings are read: of what is wrong with those has to be told, too.
const log = openLog(process.env.LEDGER_LOG);
const { say, suggest } = log;

async function start(config: Config): Promise<void> {
  const onLost = (error: DevStackError) => {
    complain(error);
    stopOnce(UNAVAILABLE);
  };
  const stack = await startStack(config, { say, onLost, leaving: leaving.signal });
  started.push(stack.stop);
  const faults = new Faults();
  const metrics = new Metrics();
  const tracing = config.isTraced
    ? await openTracing(version, (error) => faults.report('traces', error))
    : undefined;
  if (tracing) started.push(tracing.close);
  const ledger = await opened(() => openReplica(config, stack, faults, metrics, tracing));
  started.push(ledger.close);
  const app = await createApp(ledger, faults, metrics, {
    ...{ origins: config.origins, tls: config.tls, tracing, logger: log.nest },
  });
  started.push(app.close);
  ledger.start();
  const { partitions } = ledger.identity;
  if (config.partitionsGiven && config.partitions !== partitions)
    say(
      `LEDGER_PARTITIONS=${config.partitions} has no effect: this ledger was created with ${partitions} partitions, and that cannot be changed`,
    );
  if (config.access.isOpenToAll) say(OPEN_TO_ALL);
  const port = await app.listen(config.port, config.host);
  const address = `${config.tls ? 'https' : 'http'}://${config.host === '0.0.0.0' ? '127.0.0.1' : config.host}:${port}`;
  // Another Postgres' login is its owner's to hand out, so of that nothing is written down.
  if (config.databaseUrl === undefined) {
    const { databaseUrl, kafkaBrokers } = stack;
    started.push(await announceLedger(config.dataDir, { url: address, databaseUrl, kafkaBrokers }));
  }
  say(`Ledger on ${address}, ${partitions} partitions, API at ${address}/docs`);
  suggest('');
  suggest('Try it:');
  const credential = config.access.isRequired ? `-H "authorization: Bearer $LEDGER_TOKEN" ` : '';
  suggest(`  curl -s ${address}/v1/sessions ${credential}-H 'content-type: application/json' \\`);
  suggest(`    -d '{"userId":"ada","projectId":"captions","owner":{"environment":"cloud-dev"}}'`);
  suggest(`  curl -s ${credential}'${address}/v1/current?userId=ada&projectId=captions'`);
}

/** So often in a row a connection may be lost while the replica is opened: Postgres was there a moment ago. */
const OPENINGS = 5;

/** What has to be read before requests are taken; again when a connection is lost meanwhile. */
async function opened(open: () => Promise<Replica>): Promise<Replica> {
  for (let openings = 1; ; openings += 1) {
    try {
      return await open();
    } catch (error) {
      const isLost = isAway(error) || isAway((error as Error).cause);
      if (!isLost || openings === OPENINGS) throw error;
      say('A connection to Postgres was lost during the start; trying again.');
      await rest(openings * 250, leaving.signal);
      leaving.signal.throwIfAborted();
    }
  }
}

/** Stops the parts in reverse order; each may fail without the others being left running. */
async function stop(): Promise<boolean> {
  let clean = true;
  await starting.catch(() => {}); // what is about to start has to be stopped, too; `starting` is reported below
  for (const part of started.splice(0).reverse()) {
    await part().catch((error) => {
      clean = false;
      complain(error);
    });
  }
  return clean;
}

let stopping = false;
function stopOnce(code: number): void {
  if (stopping) return;
  stopping = true;
  leaving.abort();
  setTimeout(() => {
    complain(new Error(`stopping took over ${STOP_MS / 1_000} s; giving up`));
    process.exit(code || FAILED);
  }, STOP_MS).unref();
  stop().then((clean) => process.exit(clean ? code : code || FAILED));
}

/** One line for faults that the user can do something about; the whole error for those that are ours. */
function complain(error: unknown): void {
  log.complain(inWords(error));
}

/** Their messages are for users. */
const OURS = [ConfigError, KeyFileError, TlsUnusable, DevStackError, LogError, PostgresAway];

function inWords(error: unknown): string {
  if (OURS.some((kind) => error instanceof kind)) return (error as Error).message;
  const { message, code, syscall } = error as { [field in 'message' | 'code' | 'syscall']?: string };
  if (syscall === 'listen')
    return `${message}: set ${code === 'EADDRNOTAVAIL' ? 'HOST to an address of this machine' : 'PORT to a free one'}`;
  if (isAway(error)) return `Postgres cannot be reached: ${message || code}`;
  if (isRefused(error)) return `Postgres refuses: ${message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function exitCodeOf(error: unknown): number {
  return isAway(error) || isAway((error as Error).cause) ? UNAVAILABLE : FAILED;
}

// A closed terminal says SIGHUP.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopOnce(DONE));

const starting = (async () => start(readConfig(process.env)))();
starting.catch((error) => {
  if (!stopping) complain(error);
  stopOnce(exitCodeOf(error));
});
