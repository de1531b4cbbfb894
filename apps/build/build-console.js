import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './files-below.js';

const CONFIG = 'apps/console/vite.config.js';
/** The console, and the rooms that it may be made of. */
const ROOMS = [
  'apps/console',
  ...['api', 'audit', 'client', 'session', 'tlog', 'waiting'].map((room) => `libs/${room}`),
];
/** Which sources dist/console is of. */
const BUILT_FROM = 'dist/console.sources';

/**
 * Builds the page of /console, unless dist has it of just these sources: that it has is seen in some milliseconds. Nothing
 * where there is no console. `build` is given for tests alone.
 */
export async function buildConsole(root = '.', build = byVite) {
  if (!existsSync(join(root, CONFIG))) return;
  const sources = fingerprint(root);
  const stamp = join(root, BUILT_FROM);
  const isBuilt = existsSync(join(root, 'dist/console/index.html')) && existsSync(stamp);
  if (isBuilt && readFileSync(stamp, 'utf8') === sources) return;
  await build(root);
  writeFileSync(stamp, sources);
}

/** Loaded when there is something to build: that takes longer than all else here. */
async function byVite(root) {
  const { build } = await import('vite');
  await build({ root: join(root, 'apps/console'), configFile: join(root, CONFIG), logLevel: 'warn' });
}

/** Of what the files are, not of when they were written: a checkout writes all of them anew. */
function fingerprint(root) {
  const hash = createHash('sha256');
  const files = ROOMS.flatMap((room) => filesBelow(join(root, room)));
  const sources = files.filter((name) => !/\.(sql|test\.ts)$/.test(name)).sort();
  for (const name of [join(root, 'package-lock.json'), ...sources])
    hash.update(`${name}\0`).update(readFileSync(name));
  return hash.digest('hex');
}
