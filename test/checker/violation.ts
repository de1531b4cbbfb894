import { describe, type Operation } from './operation.js';

/** A promise that was broken, with the operations that show it. */
export interface Violation {
  rule: string;
  message: string;
  operations: readonly Operation[];
}

/** When something was broken on purpose. */
export interface FaultRecord {
  name: string;
  kind: string;
  began: number;
  ended: number;
}

/** A violation in a few lines: what is wrong, who was told what, and what was broken on purpose meanwhile. */
export function explain({ rule, message, operations }: Violation, faults: readonly FaultRecord[]): string {
  const shown = operations.slice(0, 4);
  const meanwhile = faults.filter(({ began, ended }) =>
    shown.some(({ askedAt, answeredAt }) => began <= answeredAt && ended >= askedAt),
  );
  return [
    `${rule}: ${message}`,
    ...shown.map((operation) => `    ${describe(operation)}`),
    ...(operations.length > shown.length ? [`    and ${operations.length - shown.length} more`] : []),
    ...meanwhile.map(
      ({ name, began, ended }) =>
        `    while: ${name}, ${(began / 1_000).toFixed(1)} to ${(ended / 1_000).toFixed(1)} s`,
    ),
  ].join('\n');
}
