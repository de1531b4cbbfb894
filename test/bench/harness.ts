/** What one side did in one turn. */
export interface Turn extends Partial<Costs> {
  seconds: number;
  ops: number;
  /** Of every operation, in milliseconds. */
  latencies: number[];
}

/** What a turn took, by part, as far as the side can tell. */
export interface Costs {
  /** CPU seconds. */
  cpu: Record<string, number>;
  /** MiB, see `metered`. */
  memory: Record<string, number>;
}

/** One of the things that are compared. */
export interface Side {
  name: string;
  /** Works for about `ms` milliseconds. Rejects at the first operation that fails: figures with errors are none. */
  turn(ms: number): Promise<Turn>;
  /** Ends what a turn leaves to be done, so that the next side has the machine to itself. Not measured. */
  settle?(): Promise<unknown>;
}

export interface Plan {
  turns: number;
  turnMs: number;
  warmUpMs: number;
}

/** A line of the result. */
export interface Row {
  case: string;
  callers: number;
  /** Per second, the median of the turns. */
  ops: number;
  /** Over all turns, in milliseconds. */
  p50: number;
  p99: number;
  /** CPU microseconds an operation, by part. */
  cpu?: Record<string, number>;
  /** The most after any turn, in MiB, by part. */
  memory?: Record<string, number>;
  /** What `ratio` is against, and of which figure. Absent in a line that is itself a reference. */
  against?: string;
  of?: Measure;
  /** Ours divided by the reference's, in neighbouring turns: the median, and the lowest and highest. */
  ratio?: number;
  spread?: [number, number];
}

export type Measure = 'ops' | 'p50' | 'p99';

/** Lets the sides work in turns (A B C A B C …), after one turn each that does not count. */
export async function interleave(
  sides: readonly Side[],
  plan: Plan,
  signal: AbortSignal,
): Promise<Map<string, Turn[]>> {
  const turns = new Map<string, Turn[]>(sides.map(({ name }) => [name, []]));
  for (let round = 0; round <= plan.turns; round++) {
    for (const { name, turn, settle } of sides) {
      signal.throwIfAborted();
      const done = await turn(round === 0 ? plan.warmUpMs : plan.turnMs);
      await settle?.();
      if (done.ops === 0 && round > 0) throw new Error(`${name}: nothing was done in a whole turn`);
      if (round > 0) turns.get(name)?.push(done);
    }
  }
  return turns;
}

/** `count` callers, each of whom calls again as soon as it was answered. */
export async function callLoops(count: number, ms: number, call: () => Promise<unknown>): Promise<Turn> {
  const latencies: number[] = [];
  const began = performance.now();
  const until = began + ms;
  const loop = async () => {
    for (let now = performance.now(); now < until; ) {
      await call();
      const after = performance.now();
      if (after < until) latencies.push(after - now);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: count }, loop));
  return { seconds: ms / 1_000, ops: latencies.length, latencies };
}

export function row(name: string, callers: number, turns: readonly Turn[]): Row {
  const latencies = turns.flatMap((turn) => turn.latencies).sort(ascending);
  const cpu = cpuOf(turns);
  const memory = memoryOf(turns);
  return {
    case: name,
    callers,
    ops: median(turns.map(measures.ops)),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    ...(cpu && { cpu }),
    ...(memory && { memory }),
  };
}

/** The row of a side that is compared with a reference which worked in the turns beside it. */
export function compared(
  row: Row,
  turns: readonly Turn[],
  reference: { name: string; turns: readonly Turn[] },
  of: Measure = 'ops',
): Row {
  const measure = measures[of];
  const ratios = turns.map((turn, index) => measure(turn) / measure(reference.turns[index]!)).sort(ascending);
  return { ...row, against: reference.name, of, ratio: median(ratios), spread: [ratios[0]!, ratios.at(-1)!] };
}

const measures: Record<Measure, (turn: Turn) => number> = {
  ops: ({ ops, seconds }) => ops / seconds,
  p50: ({ latencies }) => quantile([...latencies].sort(ascending), 0.5),
  p99: ({ latencies }) => quantile([...latencies].sort(ascending), 0.99),
};

function cpuOf(turns: readonly Turn[]): Record<string, number> | undefined {
  const parts = Object.keys(turns[0]?.cpu ?? {});
  if (parts.length === 0) return undefined;
  const ops = turns.reduce((sum, turn) => sum + turn.ops, 0);
  const of = (part: string) => turns.reduce((sum, { cpu }) => sum + (cpu?.[part] ?? 0), 0);
  return Object.fromEntries(parts.map((part) => [part, (of(part) / ops) * 1e6]));
}

function memoryOf(turns: readonly Turn[]): Record<string, number> | undefined {
  const parts = Object.keys(turns[0]?.memory ?? {});
  if (parts.length === 0) return undefined;
  const most = (part: string) => Math.max(...turns.map(({ memory }) => memory?.[part] ?? 0));
  return Object.fromEntries(parts.map((part) => [part, most(part)]));
}

/** Median, 99th percentile and largest, for people: `p50 1.2 ms, p99 3.4 ms, most 5.6 ms`. */
export function spreadOf(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort(ascending);
  const told = (value: number) => `${value.toFixed(1)} ms`;
  return `p50 ${told(quantile(sorted, 0.5))}, p99 ${told(quantile(sorted, 0.99))}, most ${told(quantile(sorted, 1))}`;
}

function ascending(a: number, b: number): number {
  return a - b;
}

function median(values: readonly number[]): number {
  return quantile([...values].sort(ascending), 0.5);
}

/** Of sorted values: the smallest that is not below the given part of them. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
