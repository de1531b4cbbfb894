import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { aboutFiles, DevStackError } from './errors.js';
import { isAlive, processIdentity } from './processes.js';

/** What this process holds: its own claim file of an earlier life (same pid, as in a container) is stale. */
const held = new Set<string>();

/**
 * Makes this process the owner of a data directory, which is made when absent, so that only a server whose owner is dead is ever
 * stopped as a leftover, never the server of another run that is alive. Resolves to what gives it back.
 * The servers' own locks still guard the data should two starts race here.
 * @throws DevStackError when a live process owns it, or it cannot be written to.
 */
export async function claimDirectory(directory: string, part: string): Promise<() => Promise<void>> {
  const path = resolve(directory);
  const file = join(path, 'owner.json');
  const owner = held.has(path) ? process.pid : await liveOwner(file);
  if (owner !== undefined) {
    throw new DevStackError(
      `${part}: ${path} is in use by process ${owner}; stop that one first, or choose another directory with LEDGER_DATA_DIR`,
    );
  }
  const claim = JSON.stringify({ pid: process.pid, identity: await processIdentity(process.pid) });
  try {
    await makeDirectory(path);
    await writeFile(file, claim);
  } catch (error) {
    throw aboutFiles(part, error);
  }
  held.add(path);
  let given = false; // giving back twice must not take the claim of a later start
  return async () => {
    if (given) return;
    given = true;
    held.delete(path);
    await rm(file, { force: true });
  };
}

/** With those above it. Node's own way says ENOENT of a read-only file system, and never ends on some others. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, 0o700);
  }
}

async function liveOwner(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const match = /^\{"pid":(\d+),"identity":"([^"]*)"\}$/.exec(text);
  if (!match) return undefined; // none, or torn by a crash: nobody that lives wrote it
  const pid = Number(match[1]);
  if (pid === process.pid || !isAlive(pid)) return undefined;
  return (await processIdentity(pid)) === match[2] ? pid : undefined;
}
