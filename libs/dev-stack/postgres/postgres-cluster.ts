import { chown, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { aboutFiles, DevStackError } from '../errors.js';
import { runOnce } from '../run-once.js';
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
 * Makes the data directory when absent, with a superuser called `name` that has no password. Resolves to whether it did.
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
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  if (account.owner) await chown(fresh, account.owner.uid, account.owner.gid);
  try {
    const { path, options } = account.on(fresh);
    const args = [
      ...[`--pgdata=${path}`, `--username=${name}`],
      // Text is ordered by code point, the same on every machine and after every upgrade of its C library.
      ...['--encoding=UTF8', '--locale-provider=builtin', '--locale=C.UTF-8', '--lc-messages=C'],
      // Nobody comes in before there is a login.
      ...['--auth=reject', '--no-instructions'],
    ];
    await runOnce(initdb, args, { ...options, timeout: 60_000 });
  } catch (cause) {
    throw new DevStackError(`Postgres: cannot make a database in ${cluster}: ${(cause as Error).message}`, {
      cause,
    });
  }
  await rename(fresh, cluster);
  return true;
}

async function versionOf(cluster: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw aboutFiles('Postgres', error);
  }
}
