// Hooks of Node's module loader (see from-source.js), which run in a thread of their own.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

/** A file is imported as './file.js', and is './file.ts' here. */
export function resolve(specifier, context, next) {
  const source = specifier.startsWith('.') && specifier.replace(/\.js$/, '.ts');
  const found = source && existsSync(fileURLToPath(new URL(source, context.parentURL)));
  return next(found ? source : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), {
    filename: fileURLToPath(url),
    jsc: { target: 'es2023', parser: { syntax: 'typescript', decorators: true } },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
