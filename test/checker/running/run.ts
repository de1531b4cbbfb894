import { holdAgainstLog } from '../holding.js';
import type { Log } from '../log.js';
import { Recorder } from '../recorder.js';
import type { Settings } from '../settings.js';
import { type Broken, breakThings } from './breaking.js';
import { runClient } from './client.js';
import { Memory } from './memory.js';
import { Random } from './random.js';
import { placesOf, Requests } from './requests.js';
import { settleUnknown } from './settling.js';
import { openWorld, type World } from './world.js';

/** Everything that a run has seen. */
export interface Report extends Broken {
  settings: Settings;
  recorder: Recorder;
  /** Commands that had to be asked for again at the end. */
  settled: number;
  log: Log;
}

/** Runs clients and faults, settles what is unknown, and holds all of it against the log. */
export async function runChecker(settings: Settings, progress: (line: string) => void): Promise<Report> {
  const world = await openWorld(settings.partitions, progress);
  try {
    const addresses = world.replicas.map(({ front }) => `http://${front.address}`);
    const recorder = new Recorder(addresses);
    const broken = await sendAndBreak(world, settings, recorder, progress);
    const { settled, violations: unknown } = await settleUnknown(recorder, world.replicas.length);
    const { log, violations } = await holdAgainstLog(world, recorder);
    const all = [...broken.violations, ...unknown, ...violations];
    return { ...broken, settings, recorder, settled, log, violations: all };
  } finally {
    await world.close();
  }
}

/**
 * Clients that send until they are stopped; that resolves when each has its last answer. `team` names them and their
 * idempotency keys, so each has to have a name of its own.
 */
export function startClients(
  { replicas }: World,
  settings: Settings,
  recorder: Recorder,
  team = 'client',
): { stop(): Promise<void> } {
  let isOver = false;
  const memory = new Memory();
  const places = placesOf(settings.scopes, settings.partitions);
  const clients = Array.from({ length: settings.clients }, (_, index) => {
    const name = `${team}-${index}`;
    const random = new Random(settings.seed + 1 + index);
    const requests = new Requests(name, random, places, memory);
    const { paceMs, together } = settings;
    return runClient({
      name,
      recorder,
      memory,
      requests,
      random,
      replicas: replicas.length,
      way: index < together ? 'together' : 'alone',
      paceMs,
      isOver: () => isOver,
    });
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

/** Clients send for as long as something is left to break. */
async function sendAndBreak(
  world: World,
  settings: Settings,
  recorder: Recorder,
  progress: (line: string) => void,
): Promise<Broken> {
  const clients = startClients(world, settings, recorder);
  try {
    return await breakThings(world, settings, recorder, progress);
  } finally {
    await clients.stop();
  }
}
