import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whom Postgres runs as: it refuses to run as root. */
export interface Account {
  /** Who must own the data, when that is not ourselves. */
  owner?: FileOwner;
  /** How a program is started that works on a directory of the owner's, and what it has to call that directory. */
  on(directory: string): { path: string; options: SpawnAs };
}

export interface FileOwner {
  uid: number;
  gid: number;
  /** For people: `postgres`, or `uid 101`. */
  name: string;
}

/** `cwd` is never where we are: the account may not be allowed to be there. */
interface SpawnAs {
  cwd: string;
  uid?: number;
  gid?: number;
}

/**
 * The name of a process's own working directory. It enters that directory before it becomes another account, so it
 * needs no right to any directory above, and gets none: the data may lie in root's home.
 */
export const WORKING_DIRECTORY = '/proc/self/cwd';

/** Ourselves, or, when we are root, the owner of the cluster, else `postgres`, else `nobody`. Creates no account. */
export async function findAccount(cluster: string): Promise<Account> {
  if (process.getuid?.() !== 0) return { on: (path) => ({ path, options: { cwd: '/' } }) };
  const present = await stat(cluster).catch(() => undefined);
  const owner = present?.uid
    ? { uid: present.uid, gid: present.gid, name: `uid ${present.uid}` }
    : await lookUp('postgres').catch(() => lookUp('nobody'));
  const { uid, gid } = owner;
  return {
    owner,
    on: (directory) =>
      process.platform === 'linux'
        ? { path: WORKING_DIRECTORY, options: { cwd: directory, uid, gid } }
        : { path: directory, options: { cwd: '/', uid, gid } },
  };
}

async function lookUp(name: string): Promise<FileOwner> {
  const id = async (flag: string) =>
    Number.parseInt((await run('id', [flag, name], { timeout: 5_000 })).stdout, 10);
  return { uid: await id('-u'), gid: await id('-g'), name };
}
