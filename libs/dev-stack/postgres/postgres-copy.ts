import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { removeAbandoned } from '../abandoned.js';
import { DevStackError } from '../errors.js';
import type { Account, FileOwner } from './postgres-account.js';
import { type Binaries, programsIn } from './postgres-binaries.js';

/**
 * The programs where the account can read them: in place, or else a copy in `cacheDir`, made once for each version
 * of their package and said in a line.
 * @throws DevStackError when the account can reach neither.
 */
export async function withinReach(
  binaries: Binaries,
  { owner }: Account,
  cacheDir: string,
  log: (line: string) => void,
): Promise<Binaries> {
  if (!owner || (await mayRead(owner, binaries.directory))) return binaries;
  const copy = join(cacheDir, `postgres-${binaries.release}`);
  const because = `Postgres: it runs as the account ${owner.name}, which cannot read ${binaries.directory}`;
  const instead = `set POSTGRES_CACHE_DIR to a directory that every account may enter, or DATABASE_URL to another Postgres`;
  try {
    if (!(await isWhole(copy, binaries.directory))) {
      await makeCopy(binaries.directory, copy);
      log(`${because}: a copy of its programs is in ${copy}`);
    }
  } catch (cause) {
    throw new DevStackError(`${because}, nor can they be copied: ${(cause as Error).message}; ${instead}`, {
      cause,
    });
  }
  if (await mayRead(owner, copy)) return { ...binaries, ...programsIn(copy) };
  throw new DevStackError(`${because}, nor the copy in ${copy}; ${instead}`);
}

/** Asks as the account itself: modes alone do not tell what access lists, or a directory above, forbid. */
async function mayRead({ uid, gid }: FileOwner, directory: string): Promise<boolean> {
  const files = (await entriesOf(directory)).filter((entry) => !entry.isDirectory()).map(pathOf);
  const ask = 'test -x "$1" && test -x "$2" || exit 1; for file do test -r "$file" || exit 1; done';
  const { initdb, postgres } = programsIn(directory);
  return promisify(execFile)('sh', ['-c', ask, 'sh', initdb, postgres, ...files], {
    ...{ uid, gid, cwd: '/', timeout: 10_000 },
  }).then(
    () => true,
    () => false,
  );
}

/** Whether a copy has every file, in its size: a power cut may leave empty ones. */
async function isWhole(copy: string, original: string): Promise<boolean> {
  const same = async (entry: Entry) => {
    const path = pathOf(entry);
    const [wanted, found] = await Promise.all([
      lstat(path),
      lstat(join(copy, path.slice(original.length))).catch(() => undefined),
    ]);
    return wanted.isDirectory() ? found?.isDirectory() : wanted.size === found?.size;
  };
  return (await Promise.all((await entriesOf(original)).map(same))).every(Boolean);
}

/** A copy gets its name when it is whole, by a rename: starts at the same time do not disturb each other. */
async function makeCopy(original: string, copy: string): Promise<void> {
  const cacheDir = join(copy, '..');
  if (await mkdir(cacheDir, { recursive: true })) await chmod(cacheDir, 0o755); // whatever our umask is
  await removeAbandoned(cacheDir);
  const fresh = `${copy}.${randomUUID()}.part`;
  try {
    await cp(original, fresh, { recursive: true, verbatimSymlinks: true });
    await openToAll(fresh);
    await rename(fresh, copy).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      if (await isWhole(copy, original)) return; // another start was faster
      await rename(copy, join(cacheDir, `${basename(copy)}.${randomUUID()}.part`));
      await rename(fresh, copy);
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Everybody may read and run what npm's package holds, whatever the umask was when it was unpacked. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await entriesOf(directory)) {
    if (entry.isSymbolicLink()) continue;
    const { mode } = await lstat(pathOf(entry));
    await chmod(pathOf(entry), mode & 0o100 ? 0o755 : 0o644);
  }
}

type Entry = Awaited<ReturnType<typeof entriesOf>>[number];

function entriesOf(directory: string) {
  return readdir(directory, { recursive: true, withFileTypes: true });
}

function pathOf({ parentPath, name }: Entry): string {
  return join(parentPath, name);
}
