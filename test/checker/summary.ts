import { fateOf, isCommand } from './operation.js';
import type { Report } from './running/run.js';
import { explain } from './violation.js';

/** Most violations of one rule that are shown in full. */
const SHOWN = 5;

/** What a run did and found, in lines for people. */
export function summary({
  settings,
  recorder,
  faults,
  failed,
  recoveries,
  settled,
  log,
  violations,
}: Report): string {
  const { operations } = recorder;
  const fates = countBy(operations.filter(isCommand), fateOf);
  const lost = countBy(
    operations,
    ({ lost, answer }) => lost?.replace(/\d+/, 'n') ?? answer?.code ?? answer?.outcome ?? `${answer?.status}`,
  );
  const rules = countBy(violations, ({ rule }) => rule);
  return [
    `seed ${settings.seed}: ${operations.length} operations (${recorder.listed} in lists) in ${(recorder.now() / 1_000).toFixed(0)} s, ${log.partitions.flat().length} events`,
    `commands: ${listed(fates)}; ${settled} were asked for again at the end`,
    `answers: ${listed(lost)}`,
    `faults: ${listed(countBy(faults, ({ kind }) => kind))}`,
    ...(failed.length > 0 ? [`not inflicted: ${failed.join('; ')}`] : []),
    'recovery, from the end of a fault to the last replica and partition that obeys again (median, longest):',
    ...recoveryLines(recoveries),
    violations.length === 0 ? 'no violations' : `${violations.length} violations: ${listed(rules)}`,
    ...[...rules.keys()].flatMap((name) =>
      violations
        .filter(({ rule }) => rule === name)
        .slice(0, SHOWN)
        .map((one) => explain(one, faults)),
    ),
  ].join('\n');
}

function recoveryLines(recoveries: Report['recoveries']): string[] {
  const kinds = new Map<string, number[]>();
  for (const { kind, ms } of recoveries) {
    kinds.set(kind, [...(kinds.get(kind) ?? []), ms ?? Number.POSITIVE_INFINITY]);
  }
  return [...kinds].sort().map(([kind, all]) => {
    const sorted = all.sort((one, other) => one - other);
    const [median, longest] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
    return `  ${kind} ×${sorted.length}: ${(median / 1_000).toFixed(2)} s, ${(longest / 1_000).toFixed(2)} s`;
  });
}

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1);
  return counts;
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
