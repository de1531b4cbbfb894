import { writeFile } from 'node:fs/promises';
import type { Report } from './running/run.js';

/** Writes down all that the rules have looked at, a JSON document a line, for whoever looks into a violation. */
export async function saveHistory(file: string, { recorder, faults, log }: Report): Promise<void> {
  const lines = [
    ...faults.map((fault) => ({ fault })),
    ...recorder.operations.map((operation) => ({ operation })),
    ...log.partitions.flat().map(({ bytes, ...logged }) => ({ logged })),
    ...[...log.receipts].map(([key, positions]) => ({ receipt: { key, positions } })),
    ...[...log.ignoredStops].map(([stopId, count]) => ({ ignoredStop: { stopId, count } })),
  ];
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
