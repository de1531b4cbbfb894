// What the compiler leaves to do in dist: SQL goes beside the code that reads it, the page of /docs into a folder of its
// own, the console is built, and whatever has no source any more goes. A migration or a statement is what stands in the
// folder, so one that was deleted or moved must not stay.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildConsole } from './build-console.js';
import { filesBelow } from './files-below.js';

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

const sourceOf = (output) => output.slice('dist/'.length).replace(/\.js(\.map)?$/, '.ts');

for (const folder of ['apps', 'examples', 'libs']) {
  for (const output of filesBelow(join('dist', folder))) if (!existsSync(sourceOf(output))) rmSync(output);
  for (const file of filesBelow(folder).filter((name) => name.endsWith('.sql')))
    copy(file, join('dist', file));
}

const page = 'dist/docs-page';
const { resolve } = createRequire(import.meta.url);
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js'])
  copy(join(dirname(resolve('swagger-ui-dist/package.json')), file), join(page, file));

await buildConsole();
