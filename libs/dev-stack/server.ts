import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rename } from 'node:fs/promises';
import { onAbort } from '#waiting';
import { type StopStep, signalQuietly, stopProcess } from './processes.js';

/** A server process that we started. */
export interface Server {
  pid: number;
  /** How it ended (`exit code 1`, `signal SIGKILL`), or undefined while it runs. */
  ended(): string | undefined;
  /** Resolves to the same when it ends, whoever ended it. */
  end: Promise<string>;
  /** Stops it, step by step; the same promise for every caller. */
  stop(): Promise<void>;
}

/** What to run, where its output goes, and how to stop it. */
export interface Launch {
  command: string;
  args: string[];
  options?: Pick<SpawnOptions, 'uid' | 'gid' | 'env' | 'cwd'>;
  /** stdout and stderr are added to this file. */
  logFile: string;
  stopSteps: readonly [StopStep, ...StopStep[]];
  /** Stops it when aborted. */
  stopping: AbortSignal;
}

/**
 * Starts a server that a terminal's Ctrl-C does not reach: `detached` gives it a session of its own, so that
 * SIGINT goes to us alone and we stop it after the service has drained. Its output goes to a file, not a
 * pipe: a pipe would break with us, and take the server along in the middle of a write.
 */
export async function launch(what: Launch): Promise<Server> {
  const log = await open(what.logFile, 'a');
  const child = spawn(what.command, what.args, {
    ...what.options,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn').finally(() => log.close());
  const pid = child.pid as number; // set once 'spawn' was emitted
  child.unref(); // a server must not keep the process alive that only waits for it

  let stopped: Promise<void> | undefined;
  let ended: string | undefined;
  // The last resort: we leave by process.exit() or an uncaught error, without stop().
  const lastResort = () => signalQuietly(pid, what.stopSteps[0].signal);
  process.once('exit', lastResort);
  const end = once(child, 'exit').then(([code, signal]) => {
    ended = signal ? `signal ${signal}` : `exit code ${code}`;
    process.removeListener('exit', lastResort);
    stopListening();
    return ended;
  });
  const stop = () => {
    stopped ??= stopProcess(pid, () => ended === undefined, what.stopSteps).then((gone) => {
      if (!gone) throw new Error(`process ${pid} (${what.command}) did not end`);
    });
    return stopped;
  };
  const stopQuietly = () => void stop().catch(() => {}); // whoever calls stop() hears of it
  const stopListening = onAbort(what.stopping, stopQuietly);

  return { pid, ended: () => ended, end, stop };
}

/** Keeps the log of the run before as `<name>.1`. */
export async function rotateLog(logFile: string): Promise<void> {
  await rename(logFile, `${logFile}.1`).catch(() => undefined); // the first run has none
}

/** The last lines of a log, for a message about a server that did not come up. */
export async function lastLines(file: string, count = 5): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join(' | ');
}
