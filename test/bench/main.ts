import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Row } from './harness.js';
import { settings } from './ledger.js';
import { machine, table } from './report.js';
import { Cleanup, startStack } from './stack.js';
import { commands } from './w1-commands.js';
import { httpCommands } from './w2-http-commands.js';
import { httpReads } from './w3-http-reads.js';
import { toKafka } from './w5-kafka.js';
import { history } from './w7-history.js';
import { renewals } from './w8-renewals.js';
import type { Bench, Workload } from './workload.js';

const workloads: Workload[] = [commands, httpCommands, httpReads, toKafka, history, renewals];

const help = `Measures the ledger against what stands beside it on the same machine, in the same run.

  npm run bench -- --quick             all workloads, in less than a minute
  npm run bench -- --quick --only W1,W3
  npm run bench -- --quick --out FILE  writes the figures as JSON, too
  npm run bench -- --quick --profile DIR  writes CPU profiles of our side (figures suffer a little)

${workloads.map(({ id, title }) => `  ${id}  ${title}`).join('\n')}

Compare ratios, not figures: each is ours divided by the reference's, which worked in the turns between
ours. Settings of the service that can be tried out: LEDGER_WRITERS, LEDGER_MAX_BATCH, LEDGER_MAX_QUEUE,
LEDGER_PARTITIONS, LEDGER_PROJECTOR_SHARE.
`;

const plans = {
  quick: { plan: { turns: 3, turnMs: 500, warmUpMs: 600 }, seeded: 30_000, withinMs: 150_000 },
  full: { plan: { turns: 7, turnMs: 5_000, warmUpMs: 5_000 }, seeded: 100_000, withinMs: 1_800_000 },
};

const stopping = new AbortController();
const cleanup = new Cleanup();

async function bench(): Promise<void> {
  const { values: asked } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      full: { type: 'boolean' },
      only: { type: 'string' },
      out: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (asked.help || !(asked.quick || asked.full)) return void process.stdout.write(help);
  const { plan, seeded, withinMs } = asked.full ? plans.full : plans.quick;
  const chosen = choose(asked.only);
  const late = setTimeout(() => stopping.abort(new Error(`not over within ${withinMs / 1_000} s`)), withinMs);
  cleanup.add(() => clearTimeout(late));

  say('starting the servers');
  const kafka = chosen.some((workload) => workload.kafka);
  const stack = await startStack(kafka, cleanup);
  const results: Record<string, Row[]> = {};
  for (const { id, title, kafka, run } of chosen) {
    if (kafka && !stack.kafkaBrokers && !asked.only) {
      say(`${id}  left out: it needs Kafka, and that Java 17 or newer`);
      continue;
    }
    say(`${id}  ${title}`);
    const own = new Cleanup();
    cleanup.add(() => finish(own));
    const context: Bench = {
      stack,
      plan,
      seeded,
      profileDir: asked.profile,
      cleanup: own,
      signal: stopping.signal,
    };
    results[id] = await run(context);
    await finish(own);
  }
  say('done');
  const report = { machine: await machine(settings()), workloads: results };
  if (asked.out) await writeFile(asked.out, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(table(report));
}

function choose(only: string | undefined): Workload[] {
  if (only === undefined) return workloads;
  return only.split(',').map((id) => {
    const found = workloads.find((workload) => workload.id === id.trim().toUpperCase());
    if (!found) throw new Error(`--only ${id}: there are ${workloads.map((each) => each.id).join(', ')}`);
    return found;
  });
}

async function finish(steps: Cleanup): Promise<void> {
  const errors = await steps.run();
  if (errors.length > 0) throw errors[0];
}

/** Progress stands on standard error, the table alone on standard output. */
function say(line: string): void {
  process.stderr.write(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
}

const aborted = new Promise<never>((_, reject) => {
  stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason));
});
let code = 0;
try {
  await Promise.race([bench(), aborted]);
} catch (caught) {
  const error = caught as Error;
  code = 1;
  say(error === stopping.signal.reason ? error.message : (error.stack ?? String(error)));
}
for (const error of await cleanup.run()) {
  code = 1;
  say(`while stopping: ${error}`);
}
process.exit(code);
