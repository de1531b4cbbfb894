import { setTimeout as pause } from 'node:timers/promises';
import { type Asked, fateOf, isCommand, type Operation } from '../operation.js';
import type { Recorder } from '../recorder.js';
import type { Violation } from '../violation.js';

/** How long everything unknown may take to become known once nothing is broken any more. */
const WITHIN_MS = 60_000;
const CALLERS = 8;
const PATIENCE_MS = 15_000;

/**
 * Asks again, with their keys, for all commands of which some attempt stayed unknown, over one replica after the other.
 * Resolves to how many they were, and to those that could not be known within a minute.
 */
export async function settleUnknown(
  recorder: Recorder,
  replicas: number,
): Promise<{ settled: number; violations: Violation[] }> {
  const unknown = [...new Set(recorder.operations.filter(isOpen).map(({ asked }) => asked))];
  const until = performance.now() + WITHIN_MS;
  const violations: Violation[] = [];
  const queue = [...unknown];
  const caller = async (name: string) => {
    for (let asked = queue.pop(); asked; asked = queue.pop()) {
      const last = await settle(recorder, name, asked, replicas, until);
      if (!last) continue;
      const message = `nothing is broken any more, but nobody can say what became of it`;
      violations.push({ rule: 'unknown', message, operations: [last] });
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(`settler-${index}`)));
  return { settled: unknown.length, violations };
}

function isOpen(operation: Operation): boolean {
  return isCommand(operation) && operation.asked.key !== undefined && fateOf(operation) === 'unknown';
}

/** Resolves to the last attempt when there is no time for another one. */
async function settle(
  recorder: Recorder,
  name: string,
  asked: Asked,
  replicas: number,
  until: number,
): Promise<Operation | undefined> {
  for (let attempt = 0; ; attempt++) {
    const operation = await recorder.send(name, attempt % replicas, asked, PATIENCE_MS);
    if (operation.answer && operation.answer.status < 500) return undefined;
    if (performance.now() > until) return operation;
    await pause(200);
  }
}
