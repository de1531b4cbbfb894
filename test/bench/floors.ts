import { readFile } from 'node:fs/promises';
import type { Row } from './harness.js';

/** The least that a ratio of a quick run may be: half of what docs/performance.md records, since machines are noisy. */
export interface Floor {
  workload: string;
  case: string;
  callers: number;
  against: string;
  ratio: number;
}

export async function readFloors(file: string): Promise<Floor[]> {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** A line for each floor that the figures are below, or that no line of theirs is about. */
export function below(floors: readonly Floor[], workloads: Record<string, readonly Row[]>): string[] {
  return floors.flatMap((floor) => {
    const { workload, callers, against } = floor;
    const what = `${workload} ${floor.case}, ${callers} callers, against ${against}`;
    const found = workloads[workload]?.find(
      (row) => row.case === floor.case && row.callers === callers && row.against === against,
    );
    if (found?.ratio === undefined) return [`${what}: not measured`];
    return found.ratio >= floor.ratio
      ? []
      : [`${what}: ×${found.ratio.toFixed(2)} is below ×${floor.ratio.toFixed(2)}`];
  });
}
