import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How a process ended: one of the two is null. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Node process under test. It leads a process group of its own, as a command in a terminal does. */
export interface NodeProcess {
  child: ChildProcess;
  /** The lines of its standard output so far. */
  lines: string[];
  /** The lines of its standard error so far. */
  errors: string[];
  /** Resolves to the first line of standard output that matches, also one that came before; throws, with the
   *  last lines, when the process ends or `withinMs` milliseconds pass (10 s when left out). */
  waitForLine(pattern: RegExp, withinMs?: number): Promise<string>;
  /** Signals the process alone; resolves when it ended. SIGKILL when left out. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** What a terminal's Ctrl-C does: SIGINT to the whole group. Resolves when the process ended. */
  ctrlC(): Promise<Exit>;
  exited: Promise<Exit>;
}

const running = new Set<NodeProcess>();
afterAll(() => Promise.all([...running].map((one) => one.kill('SIGKILL'))));

/**
 * Runs a script; the environment is ours with `env` over it (undefined removes a variable). `openFiles`: how many it may
 * have open, as many as we may when left out.
 */
export function spawnNode(
  script: string,
  { env = {}, args = [], openFiles }: { env?: NodeJS.ProcessEnv; args?: string[]; openFiles?: number } = {},
): NodeProcess {
  const node = [process.execPath, script, ...args];
  const limited = openFiles ? ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, ...node] : node;
  const child = spawn(limited[0]!, limited.slice(1), {
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [lines, errors]: [string[], string[]] = [[], []];
  const output = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  // 'close' comes after the last output, 'exit' may come before it.
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));

  const signalled = (pid: number, signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(pid, signal);
    return exited;
  };
  const self: NodeProcess = {
    child,
    lines,
    errors,
    exited,
    waitForLine: (pattern, withinMs = 10_000) => waitForLine(self, output, pattern, withinMs),
    kill: (signal = 'SIGKILL') => signalled(child.pid as number, signal),
    ctrlC: () => signalled(-(child.pid as number), 'SIGINT'),
  };
  running.add(self);
  exited.finally(() => running.delete(self));
  return self;
}

async function waitForLine(
  { lines, errors, exited }: NodeProcess,
  output: NodeJS.EventEmitter,
  pattern: RegExp,
  withinMs: number,
): Promise<string> {
  const known = lines.find((line) => pattern.test(line));
  if (known !== undefined) return known;
  const fail = (why: string) => {
    const last = [...lines.slice(-10), ...errors.slice(-10)].join('\n');
    return new Error(`no line matching ${pattern}: ${why}. Its last lines:\n${last}`);
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(fail(`${withinMs} ms passed`))), withinMs);
    const onLine = (line: string) => {
      if (pattern.test(line)) settle(() => resolve(line));
    };
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      output.off('line', onLine);
      outcome();
    };
    output.on('line', onLine);
    exited.then(({ code, signal }) => settle(() => reject(fail(`it ended with ${code ?? signal}`))));
  });
}
