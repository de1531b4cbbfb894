// Says in a line what to do where the compiler is not installed, or no more.
import { existsSync } from 'node:fs';

if (!existsSync(new URL('../../node_modules/typescript', import.meta.url))) {
  const why = existsSync(new URL('../../node_modules', import.meta.url))
    ? 'The development dependencies are not installed: start what is built with npm run start:prod, or run npm ci first.'
    : 'The dependencies are not installed: run npm ci first.';
  console.error(why);
  process.exit(1);
}
