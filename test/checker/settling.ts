import { setTimeout as pause } from 'node:timers/promises';
import { type Asked, fateOf, isCommand, type Operation } from './operation.js';
import type { Recorder } from './recorder.js';

/** How long everything unknown may take to become known once nothing is broken any more. */
const WITHIN_MS = 60_000;
const CALLERS = 8;
const PATIENCE_MS = 15_000;

/**
 * Asks again, with their keys, for all commands of which some attempt stayed unknown, over one replica after the other.
 * Resolves to how many they were. Throws when one of them cannot be known within a minute.
 */
export async function settleUnknown(recorder: Recorder, replicas: number): Promise<number> {
  const unknown = [...new Set(recorder.operations.filter(isOpen).map(({ asked }) => asked))];
  const until = performance.now() + WITHIN_MS;
  const queue = [...unknown];
  const caller = async (name: string) => {
    for (let asked = queue.pop(); asked; asked = queue.pop()) {
      await settle(recorder, name, asked, replicas, until);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(`settler-${index}`)));
  return unknown.length;
}

function isOpen(operation: Operation): boolean {
  return isCommand(operation) && operation.asked.key !== undefined && fateOf(operation) === 'unknown';
}

async function settle(
  recorder: Recorder,
  name: string,
  asked: Asked,
  replicas: number,
  until: number,
): Promise<void> {
  for (let attempt = 0; performance.now() < until; attempt++) {
    const { answer } = await recorder.send(name, attempt % replicas, asked, PATIENCE_MS);
    if (answer && answer.status < 500) return;
    await pause(200);
  }
  throw new Error(`nobody can say what became of ${asked.kind} ${asked.marker} after ${WITHIN_MS / 1_000} s`);
}
