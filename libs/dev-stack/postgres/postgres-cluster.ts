import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { aboutFiles, DevStackError } from '../errors.js';
import type { Account } from './postgres-account.js';
import type { Binaries } from './postgres-binaries.js';

/**
 * Resolves when `cluster` is absent or was made by the Postgres that we have. Reads one file, changes nothing.
 * @throws DevStackError when it was made by another major version.
 */
export async function requireSameMajor(cluster: string, major: string): Promise<void> {
  const found = (await versionOf(cluster)) ?? major;
  if (found === major) return;
  throw new DevStackError(
    `Postgres: the data in ${cluster} are of Postgres ${found}, this is Postgres ${major}: move them with pg_dump, or choose a new directory with LEDGER_DATA_DIR (nothing was changed)`,
  );
}

/**
 * Makes the data directory when absent, with a superuser and password `name`. Resolves to whether it did.
 * initdb runs beside the final place and the result is renamed: a cluster that is there is whole.
 * @throws DevStackError with the last thing that initdb said.
 */
export async function createCluster(
  cluster: string,
  name: string,
  { initdb }: Binaries,
  account: Account,
): Promise<boolean> {
  if (await versionOf(cluster)) return false;
  const fresh = `${cluster}.new`;
  const passwordFile = `${cluster}.password`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(passwordFile, name, { mode: 0o600 });
  if (account.owner) {
    await chown(fresh, account.owner.uid, account.owner.gid);
    await chown(passwordFile, account.owner.uid, account.owner.gid);
  }
  try {
    const { path, options } = account.on(fresh);
    const args = [
      // As root, the account cannot go where the file is: it gets the open file.
      ...[
        `--pgdata=${path}`,
        `--username=${name}`,
        `--pwfile=${account.owner ? '/dev/stdin' : passwordFile}`,
      ],
      // Text is ordered by code point, the same on every machine and after every upgrade of its C library.
      ...['--encoding=UTF8', '--locale-provider=builtin', '--locale=C.UTF-8', '--lc-messages=C'],
      ...['--auth=scram-sha-256', '--no-instructions'],
    ];
    await runOnce(initdb, args, options, passwordFile);
  } catch (cause) {
    throw new DevStackError(`Postgres: cannot make a database in ${cluster}: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(fresh, cluster);
  return true;
}

/** Runs a program to its end, with `input` to read. Throws with the last line of what it complained about. */
async function runOnce(program: string, args: string[], options: SpawnOptions, input: string): Promise<void> {
  const file = await open(input);
  try {
    const child = spawn(program, args, { ...options, stdio: [file.fd, 'ignore', 'pipe'], timeout: 60_000 });
    const said = text(child.stderr as Readable); // a pipe, as asked for above
    const [code, signal] = await once(child, 'exit');
    if (code !== 0)
      throw new Error((await said).trim().split('\n').at(-1) || `it ended with ${code ?? signal}`);
  } finally {
    await file.close();
  }
}

async function versionOf(cluster: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw aboutFiles('Postgres', error);
  }
}
