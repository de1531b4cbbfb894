import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whom Postgres runs as: it refuses to run as root. */
export interface Account {
  /** Who must own the data, when that is not ourselves. */
  owner?: { uid: number; gid: number };
  /** The command, arguments and spawn options that run a program as this account. */
  running(command: string, args: string[]): { command: string; args: string[]; options: SpawnAs };
}

/** `cwd` is `/` because the account may not be allowed to be where we are. */
interface SpawnAs {
  cwd: string;
  uid?: number;
  gid?: number;
}

/**
 * Ourselves, or, when we are root, the owner of the cluster, else the account `postgres`, else `nobody`. No
 * account is ever created. The directory around the cluster must exist.
 */
export async function findAccount(postgres: string, cluster: string): Promise<Account> {
  if (process.getuid?.() !== 0)
    return { running: (command, args) => ({ command, args, options: { cwd: '/' } }) };
  const present = await stat(cluster).catch(() => undefined);
  const owner = present?.uid
    ? { uid: present.uid, gid: present.gid }
    : await lookUp('postgres').catch(() => lookUp('nobody'));
  const direct = (await mayReach(owner, postgres)) && (await mayReach(owner, dirname(cluster)));
  return {
    owner,
    running: direct
      ? (command, args) => ({ command, args, options: { ...owner, cwd: '/' } })
      : (command, args) => ({
          command: 'setpriv',
          args: [...passThrough(owner), command, ...args],
          options: { cwd: '/' },
        }),
  };
}

/** For a checkout below /root: the account keeps root's right to pass through directories, and no other. */
function passThrough({ uid, gid }: { uid: number; gid: number }): string[] {
  const only = '-all,+dac_override';
  return [
    ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
    ...[`--inh-caps=${only}`, `--ambient-caps=${only}`, `--bounding-set=${only}`],
  ];
}

async function mayReach(owner: { uid: number; gid: number }, path: string): Promise<boolean> {
  return run('test', ['-x', path], { ...owner, cwd: '/', timeout: 5_000 }).then(
    () => true,
    () => false,
  );
}

async function lookUp(account: string): Promise<{ uid: number; gid: number }> {
  const id = async (flag: string) =>
    Number.parseInt((await run('id', [flag, account], { timeout: 5_000 })).stdout, 10);
  return { uid: await id('-u'), gid: await id('-g') };
}
