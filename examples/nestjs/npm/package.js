// Assembles the npm package @session-ledger/nestjs from the example: the client is a package there.
//   node examples/nestjs/npm/package.js <directory>
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../../..');
const target = resolve(process.argv[2] ?? join(root, 'dist/packages/nestjs'));
const compiled = await mkdtemp(join(tmpdir(), 'session-ledger-nestjs-'));

await rm(target, { recursive: true, force: true });
await mkdir(join(target, 'cjs'), { recursive: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', here, '--outDir', compiled], { stdio: 'inherit' });
const own = join(compiled, 'examples/nestjs');
for (const file of (await readdir(own)).filter((name) => /\.(js|d\.ts)$/.test(name))) {
  const code = (await readFile(join(own, file), 'utf8')).replaceAll("'#client'", "'@session-ledger/client'");
  await writeFile(join(target, file), code);
  // To TypeScript a declaration is of one kind only, so projects of CommonJS have these a second time.
  if (file.endsWith('.d.ts')) await writeFile(join(target, 'cjs', file), code);
}
await rm(compiled, { recursive: true, force: true });
await writeFile(join(target, 'cjs/package.json'), '{"type":"commonjs"}\n');
await cp(join(here, 'package.json'), join(target, 'package.json'));
await cp(join(here, 'README.md'), join(target, 'README.md'));
await cp(join(root, 'LICENSE'), join(target, 'LICENSE'));
