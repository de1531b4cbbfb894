import { setTimeout as pause } from 'node:timers/promises';
import { type Asked, fateOf, isCommand, type Operation } from '../operation.js';
import type { Recorder } from '../recorder.js';
import type { Memory } from './memory.js';
import type { Random } from './random.js';
import type { Requests } from './requests.js';

export interface ClientOptions {
  name: string;
  recorder: Recorder;
  memory: Memory;
  requests: Requests;
  random: Random;
  replicas: number;
  /** Whether its requests go by themselves, or in lists. */
  way: 'alone' | 'together';
  /** The longest pause between two requests, in milliseconds. */
  paceMs: number;
  /** Whether to send no more. */
  isOver(): boolean;
}

/** How many of its commands a client remembers, to send one again. */
const REMEMBERED = 20;

/** Sends one request after the other, and some again: what stayed unknown, and what was answered. */
export async function runClient(options: ClientOptions): Promise<void> {
  const { requests, random, isOver } = options;
  const sent: Asked[] = [];
  while (!isOver()) {
    await pause(random.integer(0, options.paceMs));
    const earlier = random.chance(0.07) && sent.length > 0;
    const asked = earlier ? random.pick(sent) : requests.next();
    if (asked.key !== undefined && random.chance(0.04)) {
      // At once over all replicas.
      const all = Array.from({ length: options.replicas }, (_, replica) => send(options, replica, asked));
      await Promise.all(all);
    } else await sendUntilKnown(options, asked);
    if (asked.key === undefined || earlier) continue;
    sent.push(asked);
    if (sent.length > REMEMBERED) sent.shift();
  }
}

/** How likely a command is sent again, by what its sender was told. */
function againAfter(operation: Operation): number {
  if (fateOf(operation) === 'unknown') return 0.8;
  if (operation.answer?.status === 503) return 0.5;
  // The same late stop again is only counted, in a batch that may append nothing at all.
  return operation.asked.stop && operation.answer?.status === 409 ? 0.4 : 0;
}

/** Sends it, and asks again with its key while nobody can say what became of it; gives up after a few times. */
async function sendUntilKnown(options: ClientOptions, asked: Asked): Promise<void> {
  const { random } = options;
  for (let attempt = 0; attempt < 3; attempt++) {
    const operation = await send(options, random.integer(0, options.replicas - 1), asked);
    if (asked.key === undefined || !isCommand(operation) || options.isOver()) return;
    if (!random.chance(againAfter(operation))) return;
    await pause(random.integer(0, 600));
  }
}

async function send(
  { name, recorder, memory, random, way }: ClientOptions,
  replica: number,
  asked: Asked,
): Promise<Operation> {
  // Some give up early: their command goes on without them.
  const patienceMs = random.chance(0.1) ? random.integer(20, 400) : random.integer(4_000, 13_000);
  const operation = await recorder.send(name, replica, asked, patienceMs, way);
  memory.hear(operation);
  return operation;
}
