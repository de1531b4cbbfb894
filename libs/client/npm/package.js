// Assembles the npm package: compiled files with their types, its package.json, README and licence. Nothing of the
// project's own dependencies goes into it.
//   node libs/client/npm/package.js <directory>
// PACKAGE_REPOSITORY is the https address of the repository that it is published from. The package then names it, and its page links
// to the docs there; without it links are their text.
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
const repository = process.env.PACKAGE_REPOSITORY?.replace(/(\.git)?\/?$/, '');
const description = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
if (repository) {
  Object.assign(description, {
    homepage: `${repository}#readme`,
    repository: { type: 'git', url: `git+${repository}.git`, directory: 'libs/client' },
    bugs: `${repository}/issues`,
  });
}
await writeFile(join(target, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
// npm shows the page where these files are not.
const page = await readFile(join(client, 'README.md'), 'utf8');
const linked = page.replace(/\[([^\]]+)\]\((\.[^)\s]+)\)/g, (_, text, path) => {
  const file = relative(root, join(client, path));
  return repository ? `[${text}](${repository}/blob/main/${file})` : text;
});
await writeFile(join(target, 'README.md'), linked);
await cp(join(root, 'LICENSE'), join(target, 'LICENSE'));
