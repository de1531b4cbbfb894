import type { Plan, Row } from '../harness.js';
import type { Cleanup, Stack } from '../stack.js';

export interface Workload {
  id: string;
  title: string;
  /** Whether it cannot do without Kafka. */
  kafka: boolean;
  /** Whether a quick run leaves it out, unless it is asked for by name. */
  long?: true;
  run(bench: Bench): Promise<Row[]>;
}

/** What a workload is given. */
export interface Bench {
  stack: Stack;
  plan: Plan;
  /** Whether there is time for every number of callers and every peer. */
  full: boolean;
  /** How far W6 lets its ledger grow: until it has so many events, or so much time has passed. */
  growth: { events: number; withinMs: number };
  /** Scopes that exist before anything is read. */
  seeded: number;
  /** Where to write CPU profiles; undefined: none are taken. */
  profileDir: string | undefined;
  /** Undone when the workload is over. */
  cleanup: Cleanup;
  /** Aborted by Ctrl-C, or when the run takes far too long. */
  signal: AbortSignal;
  /** Tells those who wait what goes on. */
  say(line: string): void;
}
