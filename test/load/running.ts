import { fileURLToPath } from 'node:url';
import { type NodeProcess, spawnNode } from '../support/process.js';

/** Starts one of processes/, which makes its load or measures in a process of its own. */
export function run(name: string, ...args: (string | number)[]): NodeProcess {
  return runAs(undefined, name, ...args);
}

/** The same, by who has a key. */
export function runAs(token: string | undefined, name: string, ...args: (string | number)[]): NodeProcess {
  const script = fileURLToPath(new URL(`./processes/${name}.js`, import.meta.url));
  return spawnNode(script, { args: args.map(String), env: { LEDGER_TOKEN: token } });
}

/** What a process says last, as one line of JSON, once it has ended. */
export async function saidBy<Said>(process: NodeProcess): Promise<Said> {
  await process.exited;
  const last = process.lines.at(-1);
  if (last === undefined) throw new Error(`it said nothing; ${process.errors.join('\n')}`);
  return JSON.parse(last);
}

/** Answers of a kind: how many, how many were no 200, and their times in milliseconds. */
export interface Answers {
  count: number;
  failed: number;
  p50: number;
  p99: number;
}

/** Reads what is current for a while, 16 readers with a pause of 20 ms after each read; and the health every 100 ms. */
export function readFor(
  url: string,
  users: number,
  ms: number,
): Promise<{ reads: Answers; health: Answers }> {
  return saidBy(run('reads', url, users, ms));
}

/** Starts sessions of `users` users, some times each, with so many bytes of attributes. */
export async function seed(url: string, users: number, times = 1, bytes = 0): Promise<void> {
  const { failed } = await saidBy<{ failed: number[] }>(run('seed', url, users, times, bytes));
  if (failed.length > 0) throw new Error(`${failed.length} sessions could not be started: ${failed[0]}`);
}
