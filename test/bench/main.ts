import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { below, readFloors } from './floors.js';
import type { Row } from './harness.js';
import { settings } from './ledger.js';
import { draw } from './plots.js';
import { machine, type Report, table } from './report.js';
import { Cleanup, type Stack, startStack } from './stack.js';
import { help, type Order, readOrder, workloads } from './workloads/order.js';
import type { Bench, Workload } from './workloads/workload.js';

const stopping = new AbortController();
const cleanup = new Cleanup();

/** Resolves to whether no ratio is below its floor; rejects when anything failed. */
async function bench(asked: Order): Promise<boolean> {
  const late = () => stopping.abort(new Error(`not over within ${asked.withinMs / 1_000} s`));
  const timer = setTimeout(late, asked.withinMs);
  cleanup.add(() => clearTimeout(timer));

  say('starting the servers');
  const stack = await startStack(
    asked.chosen.some((workload) => workload.kafka),
    cleanup,
    asked.segments,
  );
  const figures = await measure(asked, stack, asked.chosen, '', (measured) => keep(asked, measured));
  process.stdout.write(table(reportOf(figures)));
  const again = (chosen: Workload[]) => measure(asked, stack, chosen, '_again');
  const holds = asked.floors === undefined || (await hold(asked.floors, figures, again));
  say('done');
  return holds;
}

function reportOf(workloads: Record<string, Row[]>): Report {
  return { machine: machine(settings()), workloads };
}

/** After each workload, so that a long run that is stopped leaves what it has measured. */
async function keep({ out, plots }: Order, figures: Record<string, Row[]>): Promise<void> {
  const report = reportOf(figures);
  if (out) await writeFile(out, `${JSON.stringify(report, null, 2)}\n`);
  if (plots) await draw(report, plots);
}

/** Measures one workload after the other; `suffix` keeps the databases of a second time apart. */
async function measure(
  asked: Order,
  stack: Stack,
  chosen: readonly Workload[],
  suffix: string,
  onMeasured: (figures: Record<string, Row[]>) => Promise<void> = async () => {},
): Promise<Record<string, Row[]>> {
  const results: Record<string, Row[]> = {};
  for (const { id, title, kafka, run } of chosen) {
    if (kafka && !stack.kafkaBrokers && !asked.named) {
      say(`${id}  left out: it needs Kafka, and that Java 17 or newer`);
      continue;
    }
    say(`${id}  ${title}`);
    const own = new Cleanup();
    cleanup.add(() => finish(own));
    const context: Bench = {
      stack: { ...stack, createDatabase: (name) => stack.createDatabase(name + suffix) },
      plan: asked.plan,
      full: asked.full,
      growth: asked.growth,
      seeded: asked.seeded,
      profileDir: asked.profile,
      cleanup: own,
      signal: stopping.signal,
      say,
    };
    results[id] = await run(context);
    await finish(own);
    await onMeasured(results);
  }
  return results;
}

/** Whether no ratio is below its floor twice: machines are noisy. */
async function hold(
  file: string,
  first: Record<string, Row[]>,
  again: (workloads: Workload[]) => Promise<Record<string, Row[]>>,
): Promise<boolean> {
  const floors = (await readFloors(file)).filter(({ workload }) => workload in first);
  const missed = floors.filter((floor) => below([floor], first).length > 0);
  for (const line of below(missed, first)) say(`    ${line}; once more`);
  const ids = new Set(missed.map(({ workload }) => workload));
  const still = below(missed, await again(workloads.filter(({ id }) => ids.has(id))));
  for (const line of still) say(`    ${line}, twice`);
  if (still.length === 0) say(`no ratio is below its floor, of ${floors.length}`);
  return still.length === 0;
}

/** Undoes what a workload did; rejects with the first error. */
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
  const asked = readOrder(process.argv.slice(2));
  if (!asked) process.stdout.write(help);
  else if (!(await Promise.race([bench(asked), aborted]))) code = 1;
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
