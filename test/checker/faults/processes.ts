import { setTimeout as pause } from 'node:timers/promises';
import type { Replica, Stoppable, World } from '../running/world.js';
import type { Inflict } from './fault.js';

function replicaOf({ replicas }: World, replica: number): Replica {
  return replicas[replica] as Replica;
}

/** Kill -9, and a start after a while. */
export const killReplica: Inflict = async (world, { replica, ms }) => {
  const { service } = replicaOf(world, replica);
  await service.stop('SIGKILL');
  await pause(ms);
  await service.restart();
};

/** SIGSTOP and SIGCONT: it does nothing and holds what it holds. */
export const pauseReplica: Inflict = async (world, { replica, ms }) => {
  const { pid } = replicaOf(world, replica).service.process.child;
  await paused(pid as number, ms);
};

/** Stops a process for a while; goes on at once when it ends meanwhile. */
export async function paused(pid: number, ms: number): Promise<void> {
  if (!signal(pid, 'SIGSTOP')) return;
  await pause(ms);
  signal(pid, 'SIGCONT');
}

/** Sends a signal, 0 for none; false when there is no such process any more. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** An immediate shutdown: no checkpoint, all connections lost; the next start recovers. */
export const stopPostgres: Inflict = ({ postgres }, { ms }) => stopped(postgres, 'SIGQUIT', ms);

/** Now and then without a goodbye to its clients. */
export const stopKafka: Inflict = ({ kafka }, { ms }, random) =>
  stopped(kafka, random.chance(0.5) ? 'SIGKILL' : 'SIGTERM', ms);

async function stopped(server: Stoppable, name: NodeJS.Signals, ms: number): Promise<void> {
  const pid = await server.pid();
  signal(pid, name);
  for (const until = performance.now() + 15_000; performance.now() < until && signal(pid, 0); ) {
    await pause(50);
  }
  await pause(ms);
  await server.start();
}
