import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { eventually } from '#waiting';

/** One signal, and how many milliseconds it is given to work before the next is tried. */
export interface StopStep {
  signal: NodeJS.Signals;
  waitMs: number;
}

/** Whether a process with this id exists, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a running process; empty when it is gone, a zombie, or cannot be read. */
export async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return line.replaceAll('\0', ' ').trim();
  }
  return ps(pid, 'command=');
}

/**
 * A text that tells a process from a later one that was given the same id (its start time), so that a
 * stale pid file is never mistaken for a live owner. Empty when the process is gone.
 */
export async function processIdentity(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // proc(5): the name in parentheses may hold spaces; the start time is field 22, the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  }
  return ps(pid, 'lstart=');
}

/** Sends signal after signal until `alive` says no. Resolves to whether the process has ended. */
export async function stopProcess(
  pid: number,
  alive: () => boolean | Promise<boolean>,
  steps: readonly StopStep[],
): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    if (!(await alive())) return true;
    signalQuietly(pid, signal);
    if (await eventually(async () => !(await alive()), { withinMs: waitMs })) return true;
  }
  return !(await alive());
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function ps(pid: number, column: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', column, '-p', String(pid)], { timeout: 5_000 });
    return stdout.trim();
  } catch {
    return ''; // ps exits with 1 when there is no such process
  }
}
