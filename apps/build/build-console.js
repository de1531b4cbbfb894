import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { filesBelow } from './files-below.js';

const CONFIG = 'apps/console/vite.config.js';
/** The console, and the rooms that it may be made of. */
const ROOMS = ['apps/console', 'libs/api', 'libs/audit', 'libs/client', 'libs/session', 'libs/waiting'];
/** Which sources dist/console is of. */
const BUILT_FROM = 'dist/console.sources';

/** Builds the page of /console, unless dist has it of just these sources: that it has is seen in some milliseconds. */
export async function buildConsole() {
  if (!existsSync(CONFIG)) return;
  const sources = fingerprint();
  const isBuilt = existsSync('dist/console/index.html') && existsSync(BUILT_FROM);
  if (isBuilt && readFileSync(BUILT_FROM, 'utf8') === sources) return;
  const { build } = await import('vite');
  await build({ root: 'apps/console', configFile: CONFIG, logLevel: 'warn' });
  writeFileSync(BUILT_FROM, sources);
}

/** Of what the files are, not of when they were written: a checkout writes all of them anew. */
function fingerprint() {
  const hash = createHash('sha256');
  const files = ROOMS.flatMap(filesBelow).filter((name) => !/\.(sql|test\.ts)$/.test(name));
  for (const name of ['package-lock.json', ...files.sort()])
    hash.update(`${name}\0`).update(readFileSync(name));
  return hash.digest('hex');
}
