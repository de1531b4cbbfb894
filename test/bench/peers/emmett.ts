import { type ChildProcess, execFile, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Turn } from '../harness.js';
import { end, message } from '../processes.js';
import { SCOPES } from '../scopes.js';
import type { Cleanup } from '../stack.js';
import { EVENT_BYTES } from './inserts.js';

/** Its own package: what it wants of its peers does not fit beside ours. */
const SOURCE = new URL('../../../../test/bench/peers/emmett/', import.meta.url).pathname;
const FILES = ['package.json', 'package-lock.json', 'worker.js'];
const INSTALL_MS = 120_000;
const START_MS = 30_000;
/** The longest that a turn may last beyond its own time. */
const LATE_MS = 30_000;

/** Another event store on Postgres, in a process of its own. */
export interface Emmett {
  pid: number;
  /** Appends of one event by so many callers; rejects at the first that fails. */
  turn(callers: number, ms: number): Promise<Turn>;
}

/** Starts it on an empty database. Undefined when it cannot be installed here; `say` hears why. */
export async function startEmmett(
  url: string,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<Emmett | undefined> {
  let directory: string;
  try {
    directory = await install();
  } catch (error) {
    say(`    without Emmett: npm cannot install it here (${(error as Error).message.split('\n')[0]})`);
    return undefined;
  }
  const worker = fork(join(directory, 'worker.js'), [url, String(SCOPES), String(EVENT_BYTES)]);
  cleanup.add(() => end(worker));
  await message(worker, START_MS);
  return { pid: worker.pid!, turn: (callers, ms) => append(worker, callers, ms) };
}

async function append(worker: ChildProcess, callers: number, ms: number): Promise<Turn> {
  worker.send({ callers, ms });
  const { latencies, failure } = await message<{ latencies: number[]; failure?: string }>(
    worker,
    ms + LATE_MS,
  );
  if (failure) throw new Error(`Emmett: ${failure}`);
  return { seconds: ms / 1_000, ops: latencies.length, latencies };
}

/** Installs what the lock file says into the cache, once; the directory. */
async function install(): Promise<string> {
  const contents = await Promise.all(FILES.map((file) => readFile(join(SOURCE, file))));
  const digest = createHash('sha256').update(Buffer.concat(contents)).digest('hex').slice(0, 16);
  const base = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'session-ledger');
  const directory = join(base, `bench-emmett-${digest}`);
  if (await exists(directory)) return directory;
  await mkdir(base, { recursive: true });
  const fresh = await mkdtemp(join(base, 'installing-'));
  try {
    await Promise.all(FILES.map((file) => copyFile(join(SOURCE, file), join(fresh, file))));
    const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', options, { cwd: fresh, timeout: INSTALL_MS });
    await rename(fresh, directory);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return directory;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
