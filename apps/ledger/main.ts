import 'reflect-metadata';
import { DevStackError } from '#dev-stack';
import { LogError } from '#log';
import { createApp } from './app.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { Faults } from './faults.js';
import { openLedger } from './ledger.js';
import { Metrics } from './metrics.js';
import { startStack } from './stack.js';

/** The longest that stopping may take before what is left is given up. */
const STOP_MS = 10_000;

/** How to stop what this process has started, in the order in which it started. */
const started: (() => Promise<void>)[] = [];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function start(config: Config): Promise<void> {
  const stack = await startStack(config, say);
  started.push(stack.stop);
  const faults = new Faults();
  const metrics = new Metrics();
  const ledger = await openLedger(config, stack, faults, metrics);
  started.push(ledger.close);
  const app = await createApp(ledger, faults, metrics);
  started.push(app.close);
  const port = await app.listen(config.port, config.host);
  const address = `http://${config.host === '0.0.0.0' ? '127.0.0.1' : config.host}:${port}`;
  say(`Ledger on ${address}, ${ledger.identity.partitions} partitions, API at ${address}/docs`);
  say('');
  say('Try it:');
  say(`  curl -s ${address}/v1/sessions -H 'content-type: application/json' \\`);
  say(`    -d '{"userId":"ada","projectId":"captions","owner":{"environment":"cloud-dev"}}'`);
  say(`  curl -s '${address}/v1/current?userId=ada&projectId=captions'`);
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
  setTimeout(() => {
    complain(new Error(`stopping took over ${STOP_MS / 1_000} s; giving up`));
    process.exit(1);
  }, STOP_MS).unref();
  stop().then((clean) => process.exit(clean ? code : 1));
}

/** One line for faults that the user can do something about; the whole error for those that are ours. */
function complain(error: unknown): void {
  const { message, code } = error as { message?: string; code?: string };
  const known = error instanceof ConfigError || error instanceof DevStackError || error instanceof LogError;
  if (known) process.stderr.write(`${message}\n`);
  else if (code === 'EADDRINUSE') process.stderr.write(`${message}: set PORT to a free one\n`);
  else if (code?.startsWith('E')) process.stderr.write(`Postgres cannot be reached: ${message || code}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
}

// A closed terminal says SIGHUP.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopOnce(0));

const starting = (async () => start(readConfig(process.env)))();
starting.catch((error) => {
  complain(error);
  stopOnce(1);
});
