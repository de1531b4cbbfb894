import type { Plan, Row } from './harness.js';
import type { Cleanup, Stack } from './stack.js';

export interface Workload {
  id: string;
  title: string;
  /** Whether it cannot do without Kafka. */
  kafka: boolean;
  run(bench: Bench): Promise<Row[]>;
}

/** What a workload is given. */
export interface Bench {
  stack: Stack;
  plan: Plan;
  /** Scopes that exist before anything is read. */
  seeded: number;
  /** Where to write CPU profiles; undefined: none are taken. */
  profileDir: string | undefined;
  /** Undone when the workload is over. */
  cleanup: Cleanup;
  /** Aborted by Ctrl-C, or when the run takes far too long. */
  signal: AbortSignal;
}
