import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeStack } from './stack.js';

/** A key, or a token. */
const SECRET = /\bsl[tl]_[0-9A-Za-z]{49}|\beyJ[\w-]+\.eyJ[\w-]+\./;

export default async function globalTeardown() {
  const stack = globalThis.sessionLedgerTestStack;
  // Whatever the tests did, Postgres was told of no secret that it could quote.
  const lines = (await readFile(join(stack.directory, 'postgres', 'postgres.log'), 'utf8')).split('\n');
  await removeStack(stack);
  const shown = lines.filter((line) => SECRET.test(line)).length;
  if (shown > 0) throw new Error(`${shown} lines of postgres.log have a key or a token in them`);
}
