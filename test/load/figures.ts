import { appendFileSync } from 'node:fs';

/** One figure of a load test: what was measured of the others while one took what it could, and how far it may go. */
export interface Figure {
  /** What one of them does, as docs/load.md names it. */
  load: string;
  /** What of the others is measured, with its unit: "reads p99, ms". */
  measure: string;
  /** Without the load; left out where only the figure under it counts. */
  before?: number;
  under: number;
  /** In words: "≤ 2×", "0", "≤ 250". */
  bound: string;
}

/** Keeps a figure for the table at the end of the run (table-reporter.js). It does not judge: the test expects. */
export function record(figure: Figure): void {
  const file = process.env.LOAD_FIGURES;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figure)}\n`);
}
