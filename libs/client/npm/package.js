// Assembles the npm package: compiled files with their types, its package.json, README and licence. Nothing of the
// project's own dependencies goes into it.
//   node libs/client/npm/package.js <directory>
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minify } from '@swc/core';

const here = dirname(fileURLToPath(import.meta.url));
const client = join(here, '..');
const root = join(client, '../..');
const target = resolve(process.argv[2] ?? join(root, 'dist/packages/client'));

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const project = join(client, 'tsconfig.package.json');
const compile = (...options) =>
  execFileSync(process.execPath, [compiler, '-p', project, '--outDir', target, ...options], {
    stdio: 'inherit',
  });
compile();
// The declarations have the comments: the code need not bring them a second time.
compile('--removeComments', '--declaration', 'false');
// Declarations that no entry of the package leads to.
const isShown = (file) =>
  file.startsWith('tlog/') || /^memory-ledger\/(index|memory-ledger)\.d\.ts$/.test(file);
// What makes schemas is types to the rest: none of it runs here.
await rm(join(target, 'api/schemas'), { recursive: true });
for (const room of ['api', 'memory-ledger', 'session', 'tlog', 'waiting']) {
  const files = (await readdir(join(target, room), { recursive: true })).map((file) => `${room}/${file}`);
  const hidden = files.filter((file) => file.endsWith('.d.ts') && !isShown(file));
  await Promise.all(hidden.map((file) => rm(join(target, file))));
  // These are for `./testing` alone, and nobody's to read: without names of their own they are a third smaller.
  for (const file of files.filter((one) => one.endsWith('.js'))) {
    const { code } = await minify(await readFile(join(target, file), 'utf8'), {
      module: true,
      compress: false,
    });
    await writeFile(join(target, file), code);
  }
}
// Node requires what it can import. To TypeScript a declaration is of one kind only, so projects of CommonJS get these once
// more, in a folder of that kind. `#tlog` means something to those who read `imports`: not to moduleResolution node10.
const declarations = (await readdir(target, { recursive: true })).filter((file) => file.endsWith('.d.ts'));
for (const file of declarations) {
  const text = (await readFile(join(target, file), 'utf8')).replace(/'#(client|tlog)'/g, (_, room) => {
    return `'${relative(dirname(file), `${room}/index.js`)}'`;
  });
  await writeFile(join(target, file), text);
  await mkdir(dirname(join(target, 'cjs', file)), { recursive: true });
  await writeFile(join(target, 'cjs', file), text);
}
await writeFile(join(target, 'cjs/package.json'), '{"type":"commonjs"}\n');
await cp(join(here, 'package.json'), join(target, 'package.json'));
await cp(join(client, 'README.md'), join(target, 'README.md'));
await cp(join(root, 'LICENSE'), join(target, 'LICENSE'));
