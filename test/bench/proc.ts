import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

/**
 * CPU seconds of a process and its children, those that have ended included; 0 where there is no /proc.
 * Children of children are not counted: neither Node nor Postgres has any here.
 */
export function cpuSeconds(pid: number): number {
  const own = times(pid);
  if (!own) return 0;
  const children = childrenOf(pid).reduce((sum, child) => sum + (times(child)?.own ?? 0), 0);
  return own.own + own.ended + children;
}

/** What a process holds at the moment, in MiB; NaN where there is no /proc. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? Number.NaN) / 1024;
}

/** The most that a process has held since its start, in MiB; undefined where there is no /proc. */
export function peakMemory(pid: number): number | undefined {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** What a process and its children hold, in MiB, shared pages counted once; undefined where nobody tells. */
export function sharedMemory(pid: number): number | undefined {
  const kib = [pid, ...childrenOf(pid)].map(
    (each) => /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${each}/smaps_rollup`))?.[1],
  );
  if (kib[0] === undefined) return undefined;
  return kib.reduce((sum, each) => sum + Number(each ?? 0), 0) / 1024;
}

/** Fields 14 to 17 of proc(5) stat, after the name in parentheses, which may hold spaces. */
function times(pid: number): { own: number; ended: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  const [user, system, endedUser, endedSystem] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number) as [number, number, number, number];
  return { own: (user + system) / TICKS, ended: (endedUser + endedSystem) / TICKS };
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return []; // it has ended, or there is no /proc
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended, or there is no /proc
  }
}
