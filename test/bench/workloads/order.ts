import { parseArgs } from 'node:util';
import type { Plan } from '../harness.js';
import { commands } from './w1-commands.js';
import { httpCommands } from './w2-http-commands.js';
import { httpReads } from './w3-http-reads.js';
import { hotScope } from './w4-hot-scope.js';
import { toKafka } from './w5-kafka.js';
import { growth } from './w6-growth.js';
import { history } from './w7-history.js';
import { renewals } from './w8-renewals.js';
import { replicas } from './w9-replicas.js';
import { gathered } from './w10-gathered.js';
import { accessControl } from './w11-access.js';
import type { Bench, Workload } from './workload.js';

export const workloads: Workload[] = [
  commands,
  httpCommands,
  httpReads,
  hotScope,
  toKafka,
  growth,
  history,
  renewals,
  replicas,
  gathered,
  accessControl,
];

export const help = `Measures the ledger against what stands beside it on the same machine, in the same run.

  npm run bench                        all, with more callers and peers, in about an hour
  npm run bench -- --quick             all but the long ones, in less than a minute on a machine that is quiet
  npm run bench -- --quick --only W1,W3   only these, also of the long ones
  npm run bench -- --quick --out FILE  writes the figures as JSON, too, after each workload
  npm run bench -- --quick --plots DIR  draws them as SVG, too
  npm run bench -- --quick --floors FILE  fails when a ratio is below its floor in FILE twice
  npm run bench -- --quick --profile DIR  writes CPU profiles of our side (figures suffer a little)

${workloads.map(({ id, title, long }) => `  ${id}  ${title}${long ? ' (long)' : ''}`).join('\n')}

Without --quick a run is a full one; --full says so. Other lengths than theirs: --turns N (3 at least),
--turn-ms MS, for W6 --events N and --fill-minutes M.

Compare ratios, not figures: each is ours divided by the reference's, which worked in the turns between
ours. Settings of the service that can be tried out: LEDGER_WRITERS, LEDGER_MAX_BATCH, LEDGER_MAX_QUEUE,
LEDGER_PARTITIONS, LEDGER_PROJECTOR_SHARE.
`;

const plans = {
  quick: {
    plan: { turns: 3, turnMs: 300, warmUpMs: 300 },
    seeded: 5_000,
    growth: { events: 20_000, withinMs: 60_000 },
    segments: undefined,
    withinMs: 300_000,
  },
  full: {
    plan: { turns: 5, turnMs: 3_000, warmUpMs: 3_000 },
    seeded: 100_000,
    growth: { events: 10_000_000, withinMs: 1_800_000 },
    segments: 256, // as many as Postgres keeps at most until it has written a checkpoint
    withinMs: 10_800_000,
  },
};

/** What a run was asked to do. */
export interface Order extends Pick<Bench, 'full' | 'growth' | 'seeded'> {
  chosen: Workload[];
  /** Whether the workloads were chosen by name. */
  named: boolean;
  plan: Plan;
  /** Segments of Postgres' log that lie ready; undefined: those of a quick run. */
  segments: number | undefined;
  withinMs: number;
  out: string | undefined;
  plots: string | undefined;
  floors: string | undefined;
  profile: string | undefined;
}

/** Reads the arguments; undefined: somebody asks for help. Throws at what makes no sense. */
export function readOrder(args: readonly string[]): Order | undefined {
  const flag = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const { values: asked } = parseArgs({
    args: [...args],
    options: {
      ...{ quick: flag, full: flag, help: { ...flag, short: 'h' } },
      ...{ only: text, out: text, plots: text, floors: text, profile: text },
      ...{ turns: text, 'turn-ms': text, events: text, 'fill-minutes': text },
    },
  });
  if (asked.help) return undefined;
  if (asked.quick && asked.full) throw new Error('--quick and --full: a run is one of them');
  const full = !asked.quick;
  const { plan, seeded, growth, segments, withinMs } = full ? plans.full : plans.quick;
  const turnMs = number('--turn-ms', asked['turn-ms'], 100);
  return {
    full,
    chosen: choose(asked.only, full),
    named: asked.only !== undefined,
    plan: {
      turns: number('--turns', asked.turns, 3) ?? plan.turns,
      turnMs: turnMs ?? plan.turnMs,
      warmUpMs: turnMs ?? plan.warmUpMs,
    },
    seeded,
    growth: {
      events: number('--events', asked.events, 10) ?? growth.events,
      withinMs: (number('--fill-minutes', asked['fill-minutes'], 1) ?? growth.withinMs / 60_000) * 60_000,
    },
    segments,
    withinMs,
    out: asked.out,
    plots: asked.plots,
    floors: asked.floors,
    profile: asked.profile,
  };
}

function choose(only: string | undefined, full: boolean): Workload[] {
  if (only === undefined) return workloads.filter(({ long }) => full || !long);
  return only.split(',').map((id) => {
    const found = workloads.find((workload) => workload.id === id.trim().toUpperCase());
    if (!found) throw new Error(`--only ${id}: there are ${workloads.map((each) => each.id).join(', ')}`);
    return found;
  });
}

function number(name: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const given = Number(value);
  if (!Number.isInteger(given) || given < least)
    throw new Error(`${name} ${value}: a number from ${least} on`);
  return given;
}
