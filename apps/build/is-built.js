// Loaded before what runs from dist, by `node --import`: says in a line what to do in a checkout that is not built.
import { existsSync } from 'node:fs';

if (!existsSync(new URL('../../dist/apps', import.meta.url))) {
  console.error('Nothing is built here yet: run npm run build first.');
  process.exit(1);
}
